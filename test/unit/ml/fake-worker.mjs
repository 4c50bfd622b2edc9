// A worker that speaks the protocol of src/ml/messages.ts without a model. The ids are letters, and the text says what to do:
// "wait N" answers after N ms, "crash" ends the thread, "hang" never answers, "fail" fails the pass, "nan" gives a broken row.
// Every other text is answered at once. The category logits are [length of the text, 0].
import { parentPort, workerData } from 'node:worker_threads';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const embedding = () => Float32Array.from([1, 0]);
let turn = Promise.resolve();

async function answer({ id, rows }) {
  const texts = rows.map((ids) => String.fromCharCode(...ids));
  for (const text of texts) {
    const [verb, amount] = text.split(' ');
    if (verb === 'wait') await sleep(Number(amount));
    if (verb === 'crash') throw new Error('the fake worker was told to crash');
    if (verb === 'hang') await new Promise(() => setInterval(() => undefined, 1000));
    if (verb === 'fail') return parentPort.postMessage({ kind: 'failed', id, message: 'told to fail' });
  }
  const results = texts.map((text) => ({
    category: Float32Array.from([text === 'nan' ? NaN : text.length, 0]),
    difficulty: null,
    jailbreakLogit: null,
    embedding: embedding(),
  }));
  parentPort.postMessage({ kind: 'done', id, results, inferenceMs: 1 });
}

if (workerData.refuse) {
  parentPort.postMessage({ kind: 'refused', code: 'MODEL_LOAD_FAILED', message: 'told to refuse' });
} else {
  parentPort.on('message', (message) => {
    if (message.kind === 'close') return parentPort.close();
    turn = turn.then(() => answer(message));
    turn.catch((error) =>
      setImmediate(() => {
        throw error;
      }),
    );
  });
  parentPort.postMessage({
    kind: 'ready',
    provider: workerData.provider ?? 'cpu',
    warnings: workerData.warnings ?? [],
  });
}
