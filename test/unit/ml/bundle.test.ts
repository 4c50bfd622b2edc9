import { afterEach, expect, test } from '@jest/globals';
import { appendFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBundle } from '../../../src/ml/bundle.ts';
import { parseManifest } from '../../../src/ml/manifest.ts';

/** A manifest that a test spoils. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Draft = any;

const SHIPPED = 'models/switchyard-minilm';
const dirs: string[] = [];
afterEach(async () => {
  await Promise.all(dirs.splice(0).map((dir) => rm(dir, { recursive: true, force: true })));
});

/** A copy of the model that ships, to be spoilt. */
async function copyBundle(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-bundle-'));
  dirs.push(dir);
  await cp(SHIPPED, dir, { recursive: true });
  return dir;
}

async function editManifest(dir: string, edit: (manifest: Draft) => void): Promise<void> {
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  edit(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

const messageOf = async (dir: string) => {
  try {
    await loadBundle(dir);
  } catch (error) {
    expect(error).toMatchObject({ code: 'MODEL_BUNDLE_INVALID', source: 'internal' });
    return (error as Error).message;
  }
  throw new Error('the bundle was accepted');
};

test('the model that ships is sound, and other work goes on while it is checked', async () => {
  let turns = 0;
  const ticker = setInterval(() => (turns += 1), 1);
  const bundle = await loadBundle(SHIPPED);
  clearInterval(ticker);
  expect(bundle.manifest.outputs.category.labels).toHaveLength(14);
  expect(bundle.manifest.outputs.category.labels[9]).toBe('math');
  expect(bundle.modelPath.endsWith('model_int8.onnx')).toBe(true);
  expect(turns).toBeGreaterThan(2);
});

test('a changed byte is found', async () => {
  const dir = await copyBundle();
  const path = join(dir, 'model_int8.onnx');
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
  expect(await messageOf(dir)).toMatch(/model_int8\.onnx: sha256 [0-9a-f]{64}, and the manifest says [0-9a-f]{64}/);
});

test('a file of another length is found before it is hashed', async () => {
  const dir = await copyBundle();
  await appendFile(join(dir, 'tokenizer.json'), ' ');
  expect(await messageOf(dir)).toMatch(/tokenizer\.json: \d+ bytes, and the manifest says \d+/);
});

test('a table of tokens is optional, and must know the manifest’s labels', async () => {
  const dir = await copyBundle();
  await editManifest(dir, (manifest) => manifest.outputs.category.labels.reverse());
  expect(await messageOf(dir)).toContain('static.safetensors: its labels are not those of outputs.category');
  await editManifest(dir, (manifest) => delete manifest.files.static_table);
  await rm(join(dir, 'static.safetensors'));
  expect((await loadBundle(dir)).staticTable).toBeNull();
});

test('a missing file is named', async () => {
  const dir = await copyBundle();
  await rm(join(dir, 'tokenizer.json'));
  expect(await messageOf(dir)).toMatch(/tokenizer\.json: cannot read the file/);
});

test('a link that leads out of the folder is refused', async () => {
  const dir = await copyBundle();
  await rm(join(dir, 'tokenizer_config.json'));
  await symlink(join(process.cwd(), SHIPPED, 'tokenizer_config.json'), join(dir, 'tokenizer_config.json'));
  expect(await messageOf(dir)).toContain('lies outside the model folder');
});

test('the folder itself may be a link', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-bundle-'));
  dirs.push(dir);
  await symlink(join(process.cwd(), SHIPPED), join(dir, 'current'));
  expect((await loadBundle(join(dir, 'current'))).manifest.name).toBe('switchyard-minilm');
});

test.each(['../other/model.onnx', '/etc/passwd', 'a/../../b', './model.onnx', 'C:\\model.onnx', ''])(
  'the path %j is refused',
  async (path) => {
    const dir = await copyBundle();
    await editManifest(dir, (manifest) => (manifest.files.model.path = path));
    expect(await messageOf(dir)).toContain('files.model.path');
  },
);

test('no folder, no manifest, no JSON: each says what to do', async () => {
  expect(await messageOf('models/nothing-here')).toContain('Set model_id to a folder under models/');
  const dir = await copyBundle();
  await writeFile(join(dir, 'manifest.json'), '{"schema_version": 1,');
  expect(await messageOf(dir)).toMatch(/manifest\.json: not JSON/);
});

test.each<readonly [string, (manifest: Draft) => unknown, string]>([
  ['another version', (m) => (m.schema_version = 2), 'schema_version: 2; this version reads only 1'],
  ['no name', (m) => delete m.name, 'name: missing; a string that is not empty is needed'],
  ['no labels', (m) => (m.outputs.category.labels = []), 'outputs.category.labels: at least 2 labels are needed'],
  [
    'a label twice',
    (m) => (m.outputs.category.labels[1] = 'biology'),
    'outputs.category.labels: a label appears twice',
  ],
  [
    'labels of another type',
    (m) => (m.outputs.difficulty.labels = 'tiny'),
    'outputs.difficulty.labels: "tiny"; a list is needed',
  ],
  [
    'a wild hash',
    (m) => (m.files.model.sha256 = 'abc'),
    'files.model.sha256: "abc"; 64 lower-case hexadecimal digits are needed',
  ],
  ['a wrong size', (m) => (m.files.model.bytes = -1), 'files.model.bytes: -1; an integer from 1'],
  [
    'too long a window',
    (m) => (m.inputs.max_tokens = 100),
    'inputs: head_tokens 192 + tail_tokens 64 are more than max_tokens 100',
  ],
  [
    'a huge window',
    (m) => (m.inputs.max_tokens = 1e9),
    'inputs.max_tokens: 1000000000; an integer from 8 to 8192 is needed',
  ],
  [
    'a temperature of zero',
    (m) => (m.outputs.category.temperature = 0),
    'outputs.category.temperature: 0; a positive number is needed',
  ],
  [
    'another pooling',
    (m) => (m.outputs.embedding.pooling = 'cls'),
    'outputs.embedding.pooling: "cls"; only "mean" is known',
  ],
  ['a score that is text', (m) => (m.scores.accuracy = 'good'), 'scores.accuracy: "good"; a number is needed'],
  [
    'a table of tokens without bytes',
    (m) => (m.files.static_table = { path: 't', sha256: 'a'.repeat(64), bytes: 0 }),
    'files.static_table.bytes: 0; an integer from 1 to 67108864 is needed',
  ],
  ['no files', (m) => delete m.files, 'files: missing; an object is needed'],
])('%s is a problem', async (_, edit, problem) => {
  const manifest = JSON.parse(await readFile(join(SHIPPED, 'manifest.json'), 'utf8'));
  edit(manifest);
  const outcome = parseManifest(manifest);
  if (outcome.kind === 'valid') throw new Error('the manifest was accepted');
  expect(outcome.problems.some((found) => found.startsWith(problem))).toBe(true);
});

test('all problems are told at once', () => {
  const outcome = parseManifest({ schema_version: 3, name: 7 });
  expect(outcome.kind === 'invalid' && outcome.problems.length).toBeGreaterThan(8);
  expect(parseManifest(null).kind).toBe('invalid');
});
