/** The encoder worker, with two counters in its data: forward passes and tokenisations. The libraries themselves are watched, whoever calls them. */
import { workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession } from 'onnxruntime-node';
import { register } from 'tsx/esm/api';

/** Opened sessions are of a class that the package keeps to itself: it is found through the first one. */
const create = InferenceSession.create;
let watched = false;
InferenceSession.create = async function (...args) {
  const session = await create.apply(this, args);
  if (!watched) count(Object.getPrototypeOf(session), 'run', 0);
  watched = true;
  return session;
};
count(Tokenizer.prototype, 'encode', 1);

function count(prototype, method, counter) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    Atomics.add(workerData.counters, counter, 1);
    return original.apply(this, args);
  };
}

register();
await import('../../../src/ml/worker.ts');
