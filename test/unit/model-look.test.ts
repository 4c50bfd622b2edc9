import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { BUILT_IN_LABELS, BUILT_IN_MODEL, type ModelLook } from '../../src/config/classifier.ts';
import { modelFolder } from '../../src/model-folder.ts';
import { lookUpModel } from '../../src/model-look.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-look-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the built-in model's folder, broken by `breakIt`. */
function brokenCopy(name: string, breakIt: (dir: string) => void): ModelLook {
  const dir = join(folder, name);
  cpSync(modelFolder(BUILT_IN_MODEL), dir, { recursive: true });
  breakIt(dir);
  return lookUpModel(dir);
}

function edit(dir: string, change: (manifest: Record<string, unknown>) => void): void {
  const file = join(dir, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
}

test.each([BUILT_IN_MODEL, `models/${BUILT_IN_MODEL}`, modelFolder(BUILT_IN_MODEL)])('%s is sound', (modelId) => {
  expect(lookUpModel(modelId)).toEqual({ kind: 'sound', labels: BUILT_IN_LABELS, hasJailbreak: true });
});

test('a model without a jailbreak output says so', () => {
  const look = brokenCopy('no-jailbreak', (dir) =>
    edit(dir, (manifest) => {
      delete (manifest['outputs'] as Record<string, unknown>)['jailbreak'];
    }),
  );
  expect(look).toEqual({ kind: 'sound', labels: BUILT_IN_LABELS, hasJailbreak: false });
});

test('a folder that is not there: which there are, and the nearest', () => {
  expect(lookUpModel('models/switchyard-minlm')).toEqual({
    kind: 'unsound',
    message: 'there is no folder "models/switchyard-minlm", neither by this path nor under models/',
    allowed: expect.stringContaining('"switchyard-minilm"') as unknown,
    fix: 'did you mean "switchyard-minilm"?',
  });
  expect(lookUpModel('/nowhere/else')).toMatchObject({ fix: 'correct the name, or make it with switchyard train' });
});

test('files of roles that are not known are left alone', () => {
  const look = brokenCopy('later', (dir) =>
    edit(dir, (manifest) => {
      manifest['files'] = { ...(manifest['files'] as object), later: null, newer: 7, newest: { path: 1 } };
    }),
  );
  expect(look.kind).toBe('sound');
});

describe('a folder that is no sound model', () => {
  const cases: readonly (readonly [string, (dir: string) => void, string])[] = [
    ['no manifest', (dir) => rmSync(join(dir, 'manifest.json')), 'it has no manifest.json'],
    ['no JSON', (dir) => writeFileSync(join(dir, 'manifest.json'), '{'), 'its manifest.json is not JSON'],
    [
      'a manifest of several mistakes',
      (dir) => writeFileSync(join(dir, 'manifest.json'), '{"schema_version":2}'),
      'its manifest is wrong: schema_version: 2; this version reads only 1, name: missing; a string that is not empty is needed, version: missing; a string that is not empty is needed, and ',
    ],
    ['a missing file', (dir) => rmSync(join(dir, 'tokenizer.json')), 'tokenizer.json is missing'],
    [
      'a file cut short',
      (dir) => truncateSync(join(dir, 'tokenizer.json'), 10),
      'tokenizer.json has 10 bytes, and the',
    ],
    ['a file outside', (dir) => edit(dir, outside), 'a relative path inside the model'],
  ];
  test.each(cases)('%s', (name, breakIt, message) => {
    const look = brokenCopy(name.replaceAll(' ', '-'), breakIt);
    if (look.kind === 'sound') throw new Error('it should not be sound');
    expect(look.message).toContain(message);
    expect(look.fix).toContain('restore the folder');
  });
});

function outside(manifest: Record<string, unknown>): void {
  const files = manifest['files'] as Record<string, Record<string, unknown>>;
  if (files['model'] !== undefined) files['model']['path'] = '../model.onnx';
}
