/** The encoder worker, with a counter of its forward passes in its data. The library itself is watched, whoever calls it. */
import { workerData } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';
import { register } from 'tsx/esm/api';

/** Opened sessions are of a class that the package keeps to itself: it is found through the first one. */
const create = InferenceSession.create;
let watched = false;
InferenceSession.create = async function (...args) {
  const session = await create.apply(this, args);
  if (!watched) countRuns(Object.getPrototypeOf(session));
  watched = true;
  return session;
};

function countRuns(prototype) {
  const run = prototype.run;
  prototype.run = function (...args) {
    Atomics.add(workerData.counters, 0, 1);
    return run.apply(this, args);
  };
}

register();
await import('../../../src/ml/worker.ts');
