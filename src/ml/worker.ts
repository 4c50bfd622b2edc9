/** The entry of an encoder worker thread: one session, answering one message after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, RouterError } from '../errors.ts';
import { applyHead, type LinearHead } from './linear-head.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.ts';
import { openSession, type RawEncoding, type Session } from './session.ts';

const port = parentPort;
if (port === null) throw new Error('ml/worker runs as a worker thread only');
const say = (message: FromWorker) => port.postMessage(message);

async function main(setup: WorkerSetup): Promise<void> {
  const warnings: string[] = [];
  const session = await openSession({
    modelPath: setup.modelPath,
    providers: setup.providers,
    widths: setup.widths,
    warn: (message) => warnings.push(message),
  });
  await warmUp(session, setup.maxTokens);
  const { categoryHead } = setup;
  port?.on('message', (message: ToWorker) => void answer(message, { session, categoryHead }));
  say({ kind: 'ready', provider: session.provider, warnings });
}

interface Loaded {
  readonly session: Session;
  readonly categoryHead: LinearHead | null;
}

async function answer(message: ToWorker, loaded: Loaded): Promise<void> {
  if (message.kind === 'close') {
    await loaded.session.close();
    port?.close();
    return;
  }
  try {
    const start = performance.now();
    const results = await run(message.rows, loaded);
    say({ kind: 'done', id: message.id, results, inferenceMs: performance.now() - start });
  } catch (thrown) {
    say({ kind: 'failed', id: message.id, message: messageOf(thrown) });
  }
}

async function run(
  rows: readonly (readonly number[])[],
  { session, categoryHead }: Loaded,
): Promise<readonly RawEncoding[]> {
  const raws = await session.run(rows);
  return raws.map((raw) => withHead(raw, categoryHead));
}

/** The same pass feeds a head of the user's own. */
function withHead(raw: RawEncoding, head: LinearHead | null): RawEncoding {
  return head === null || raw.embedding === null ? raw : { ...raw, category: applyHead(head, raw.embedding) };
}

/** The first pass of each size allocates; a full window and a short text take that off the first requests. Ids are words like any other. */
async function warmUp(session: Session, maxTokens: number): Promise<void> {
  for (const length of [maxTokens, 8]) await session.run([Array.from({ length }, (_, index) => 1000 + index)]);
}

main(workerData as WorkerSetup).catch((thrown: unknown) => {
  say({
    kind: 'refused',
    code: thrown instanceof RouterError ? thrown.code : 'MODEL_LOAD_FAILED',
    message: messageOf(thrown),
  });
  port.close();
});
