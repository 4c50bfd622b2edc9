import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { WorkerSetup } from './messages.ts';

/** JavaScript heap of a worker; the model lies outside of it. */
const MAX_HEAP_MB = 256;

/** Starts a worker thread that says `ready` or `refused` (messages.ts) once it has tried to load the model. */
export type SpawnWorker = (setup: WorkerSetup, name: string) => Worker;

/** The encoder worker. From `dist` the compiled file runs as it is; from source (tests, development) tsx compiles it on the way. */
export const spawnWorker: SpawnWorker = (setup, name) => {
  const options = { name, workerData: setup, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), options);
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href);
  // `require` finds the package's CommonJS face, whose `register` looks for its hooks in the wrong place: the ESM one lies beside it.
  const face = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const loader = JSON.stringify(pathToFileURL(face).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { ...options, eval: true });
};
