/** The entry of an encoder worker thread: one tokenizer and one session, answering one message after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, RouterError } from '../errors.ts';
import { applyHead, type LinearHead } from './linear-head.ts';
import type { FromWorker, TextResult, ToWorker, WorkerSetup } from './messages.ts';
import { openSession, type RawEncoding, type Session } from './session.ts';
import { createTokenizer, type TextTokenizer } from './tokenizer.ts';
import type { CutText } from './window.ts';

const port = parentPort;
if (port === null) throw new Error('ml/worker runs as a worker thread only');
const say = (message: FromWorker) => port.postMessage(message);

async function main(setup: WorkerSetup): Promise<void> {
  const warnings: string[] = [];
  const tokenizer = createTokenizer(setup.tokenizerJson, setup.tokenizerConfigJson, setup.window);
  const session = await openSession({
    modelPath: setup.modelPath,
    providers: setup.providers,
    widths: setup.widths,
    warn: (message) => warnings.push(message),
  });
  await warmUp(session, setup.window.max_tokens);
  const { categoryHead } = setup;
  port?.on('message', (message: ToWorker) => void answer(message, { tokenizer, session, categoryHead }));
  say({ kind: 'ready', provider: session.provider, warnings });
}

interface Loaded {
  readonly tokenizer: TextTokenizer;
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
    const results = await run(message.texts, loaded);
    say({ kind: 'done', id: message.id, results, inferenceMs: performance.now() - start });
  } catch (thrown) {
    say({ kind: 'failed', id: message.id, message: messageOf(thrown) });
  }
}

async function run(
  texts: readonly CutText[],
  { tokenizer, session, categoryHead }: Loaded,
): Promise<readonly TextResult[]> {
  const tokens = texts.map((text) => tokenizer.encodeCut(text));
  const raws = await session.run(tokens.map(({ ids }) => ids));
  return raws.map((raw, index) => ({
    raw: withHead(raw, categoryHead),
    tokens: tokens[index]?.ids.length ?? 0,
    truncated: tokens[index]?.truncated ?? false,
  }));
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
