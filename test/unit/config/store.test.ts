import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelLook } from '../../../src/config/classifier.ts';
import { openConfigStore } from '../../../src/config/store.ts';
import type { ConfigStore, StoreEvent } from '../../../src/config/store.ts';

const config = (model: string) => `vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8000, models: [${model}] }
`;

let folder: string;
let file: string;
let store: ConfigStore | undefined;
let events: StoreEvent[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-config-'));
  file = join(folder, 'config.yaml');
  writeFileSync(file, config('first'));
  events = [];
});
afterEach(() => {
  store?.close();
  store = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: { readonly pollMs?: number } = {}): Promise<ConfigStore> {
  const opened = await openConfigStore({ file, environment: {}, settleMs: 20, ...options });
  if (opened.kind === 'rejected') throw new Error(JSON.stringify(opened.problems));
  store = opened.store;
  store.subscribe((event) => events.push(event));
  return store;
}

/** Waits until the condition holds; the contract promises two seconds. */
async function within2s(condition: () => boolean): Promise<number> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 2000) throw new Error('not within 2 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - start;
}

describe('opening', () => {
  test('gives the snapshot', async () => {
    expect((await open()).current().defaultModel).toBe('first');
  });

  test('a file that is not there is a problem, not an exception', async () => {
    const opened = await openConfigStore({ file: join(folder, 'absent.yaml'), environment: {} });
    expect(opened.kind === 'rejected' && opened.problems[0]?.code).toBe('CONFIG_UNREADABLE');
  });

  test('a classifier that cannot be loaded is a problem, at a start and at a change', async () => {
    const lookUpModel = (modelId: string): ModelLook =>
      modelId === 'gone'
        ? { kind: 'unsound', message: 'there is no such folder', allowed: '', fix: '' }
        : { kind: 'sound', labels: [], hasJailbreak: true };
    const running = await openConfigStore({ file, environment: {}, lookUpModel });
    if (running.kind === 'rejected') throw new Error(JSON.stringify(running.problems));
    store = running.store;
    const bad = `${config('second')}classifier: { category_model: { model_id: gone } }\n`;
    const proposed = store.propose(bad);
    expect(proposed.kind === 'rejected' && proposed.problems).toMatchObject([
      { code: 'CONFIG_CLASSIFIER_UNUSABLE', line: 3, column: 43 },
    ]);
    writeFileSync(file, bad);
    const opened = await openConfigStore({ file, environment: {}, lookUpModel });
    expect(opened.kind === 'rejected' && opened.problems[0]?.code).toBe('CONFIG_CLASSIFIER_UNUSABLE');
  });

  test('a bad file gives its problems', async () => {
    writeFileSync(file, 'vllm_endpoints: []');
    const opened = await openConfigStore({ file, environment: {} });
    expect(opened.kind === 'rejected' && opened.problems[0]?.code).toBe('CONFIG_OUT_OF_RANGE');
  });
});

describe('a change of the file comes into force', () => {
  test('written in place', async () => {
    const opened = await open();
    const before = opened.current().version;
    writeFileSync(file, config('second'));
    await within2s(() => opened.current().defaultModel === 'second');
    expect(events).toHaveLength(1);
    const [event] = events;
    expect(event).toMatchObject({ kind: 'config_reloaded', source: 'file' });
    expect(event?.kind === 'config_reloaded' && event.previous.version).toBe(before);
    expect(opened.current().version).not.toBe(before);
  });

  test('renamed over, as editors do', async () => {
    const opened = await open();
    writeFileSync(join(folder, 'new'), config('second'));
    renameSync(join(folder, 'new'), file);
    await within2s(() => opened.current().defaultModel === 'second');
    // And once more: a watch on the old file would have gone blind.
    writeFileSync(join(folder, 'new'), config('third'));
    renameSync(join(folder, 'new'), file);
    await within2s(() => opened.current().defaultModel === 'third');
  });

  test('a symbolic link swapped, as Kubernetes does', async () => {
    rmSync(file);
    for (const version of ['..v1', '..v2']) mkdirSync(join(folder, version));
    writeFileSync(join(folder, '..v1', 'config.yaml'), config('first'));
    writeFileSync(join(folder, '..v2', 'config.yaml'), config('second'));
    symlinkSync('..v1', join(folder, '..data'));
    symlinkSync(join('..data', 'config.yaml'), file);
    const opened = await open();
    symlinkSync('..v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await within2s(() => opened.current().defaultModel === 'second');
  });

  test('a link into a folder that nothing watches, by polling', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'switchyard-config-'));
    try {
      writeFileSync(join(elsewhere, 'real.yaml'), config('first'));
      rmSync(file);
      symlinkSync(join(elsewhere, 'real.yaml'), file);
      const opened = await open();
      writeFileSync(join(elsewhere, 'real.yaml'), config('second'));
      await within2s(() => opened.current().defaultModel === 'second');
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });

  test('although the folder is never quiet', async () => {
    const opened = await open();
    const noise = setInterval(() => writeFileSync(join(folder, 'noise'), String(performance.now())), 3);
    try {
      writeFileSync(file, config('second'));
      await within2s(() => opened.current().defaultModel === 'second');
    } finally {
      clearInterval(noise);
    }
  });

  test('without the system’s notifications, by polling alone', async () => {
    const opened = await open({ pollMs: 50 });
    writeFileSync(file, config('second'));
    await within2s(() => opened.current().defaultModel === 'second');
  });
});

describe('a change that is no good', () => {
  test('keeps the old snapshot, is told once, and a mended file is taken', async () => {
    const opened = await open({ pollMs: 30 });
    const before = opened.current();
    writeFileSync(file, config('second').replace('port: 8000', 'port: eight'));
    await within2s(() => events.length > 0);
    expect(opened.current()).toBe(before);
    const [event] = events;
    expect(event?.kind === 'config_reload_failed' && event.problems.map(({ code }) => code)).toEqual([
      'CONFIG_WRONG_TYPE',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(events).toHaveLength(1);
    writeFileSync(file, config('third'));
    await within2s(() => opened.current().defaultModel === 'third');
  });

  test('a file that is gone keeps the old snapshot', async () => {
    const opened = await open({ pollMs: 30 });
    rmSync(file);
    await within2s(() => events.length > 0);
    const [event] = events;
    expect(event?.kind === 'config_reload_failed' && event.problems[0]?.code).toBe('CONFIG_UNREADABLE');
    expect(opened.current().defaultModel).toBe('first');
    writeFileSync(file, config('second'));
    await within2s(() => opened.current().defaultModel === 'second');
  });

  test('the same content written again is no change', async () => {
    await open({ pollMs: 30 });
    writeFileSync(file, config('first'));
    writeFileSync(file, `# only a comment\n${config('first')}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(events).toEqual([]);
  });
});

describe('snapshots', () => {
  test('propose, activate, roll back', async () => {
    const opened = await open();
    const proposed = opened.propose(config('second'));
    expect(opened.current().defaultModel).toBe('first');
    if (proposed.kind !== 'loaded') throw new Error('should load');
    expect(opened.activate(proposed.registry, 'api')).toBe(true);
    expect(opened.activate(proposed.registry, 'api')).toBe(false);
    expect(opened.current().defaultModel).toBe('second');
    expect(opened.rollback()).toBe(true);
    expect(opened.current().defaultModel).toBe('first');
    expect(opened.rollback()).toBe(false);
    expect(events.map((event) => event.source)).toEqual(['api', 'rollback']);
  });

  test('a changed config is checked like a file', async () => {
    const opened = await open();
    const { config: given } = opened.current();
    expect(opened.proposeConfig(given)).toMatchObject({
      kind: 'loaded',
      registry: { version: opened.current().version },
    });
    const rejected = opened.proposeConfig({ ...given, default_model: 'absent' });
    expect(rejected.kind === 'rejected' && rejected.problems[0]?.code).toBe('CONFIG_UNKNOWN_MODEL');
  });

  test('cannot be changed', async () => {
    const opened = await open();
    expect(() => Object.assign(opened.current().config, { default_model: 'x' })).toThrow(TypeError);
    expect(() => opened.current().config.vllm_endpoints.pop()).toThrow(TypeError);
  });

  test('one subscriber that throws does not keep the others from hearing', async () => {
    const errors: unknown[] = [];
    const opened = await openConfigStore({ file, environment: {}, onError: (error) => errors.push(error) });
    if (opened.kind === 'rejected') throw new Error('should open');
    store = opened.store;
    store.subscribe(() => {
      throw new Error('mine');
    });
    const end = store.subscribe((event) => events.push(event));
    const proposed = store.propose(config('second'));
    if (proposed.kind === 'loaded') store.activate(proposed.registry, 'api');
    expect(events).toHaveLength(1);
    expect(errors).toEqual([new Error('mine')]);
    end();
    store.rollback();
    expect(events).toHaveLength(1);
  });

  test('after close nothing is watched', async () => {
    const opened = await open({ pollMs: 20 });
    opened.close();
    writeFileSync(file, config('second'));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(opened.current().defaultModel).toBe('first');
  });
});
