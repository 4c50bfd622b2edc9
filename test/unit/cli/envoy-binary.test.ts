import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findEnvoy } from '../../../src/cli/envoy-binary.ts';

let root: string;
/** Makes a program in the folder `where`, and gives its path. */
function program(where: string, mode = 0o755): string {
  mkdirSync(join(root, where), { recursive: true });
  const path = join(root, where, 'envoy');
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, mode);
  return path;
}
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-find-'));
  mkdirSync(join(root, 'envoy'));
  writeFileSync(join(root, 'envoy', 'VERSION'), '9.9.9\n');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('without any, the message says what to do and which version', () => {
  const found = findEnvoy({ PATH: join(root, 'bin') }, root);
  expect(found).toMatchObject({ kind: 'missing', message: expect.stringMatching(/envoy:install.*9\.9\.9.*ENVOY_BIN/) });
});

test('ENVOY_BIN, then PATH, then .venv', () => {
  const own = program('.venv/bin');
  expect(findEnvoy({}, root)).toEqual({ kind: 'found', path: own });
  program('plain', 0o644);
  mkdirSync(join(root, 'folder', 'envoy'), { recursive: true });
  expect(findEnvoy({ PATH: `${join(root, 'plain')}:${join(root, 'folder')}` }, root)).toEqual({
    kind: 'found',
    path: own,
  });
  const onPath = program('bin');
  expect(findEnvoy({ PATH: `:${join(root, 'bin')}` }, root)).toEqual({ kind: 'found', path: onPath });
  const named = program('named');
  expect(findEnvoy({ ENVOY_BIN: named, PATH: join(root, 'bin') }, root)).toEqual({ kind: 'found', path: named });
  expect(findEnvoy({ ENVOY_BIN: '', PATH: join(root, 'bin') }, root)).toEqual({ kind: 'found', path: onPath });
});

test('an ENVOY_BIN that is no program is said, not passed over', () => {
  const found = findEnvoy({ ENVOY_BIN: join(root, 'nothing'), PATH: join(root, 'bin') }, root);
  expect(found).toMatchObject({ kind: 'missing', message: expect.stringContaining(join(root, 'nothing')) });
});
