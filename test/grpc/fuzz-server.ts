/** The server under fuzzing, in a process of its own: what would crash production crashes this, and its memory is only its own. */
import type { RouteOutcome } from '../../src/extproc/machine.ts';
import { createExtProcServer } from '../../src/extproc/server.ts';
import { forwardTo } from './outcomes.ts';

const MIB = 1 << 20;
let calls = 0;
let contexts = 0;

/** Every sort of outcome in turn; a request that asks for a sane one gets it. */
async function route(sane: boolean, signal: AbortSignal): Promise<RouteOutcome<string>> {
  const turn = sane ? 0 : calls++ % 7;
  if (turn === 1) throw new Error('fuzz');
  if (turn === 2) return { kind: 'fail_open', message: 'half a pair \ud800 and a line\n' };
  if (turn === 3) await new Promise((resolve) => setTimeout(resolve, 20));
  if (turn === 4)
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  contexts++;
  if (turn === 5)
    return { kind: 'reply', status: 400, headers: [{ name: 'x-a', value: 'b\r\nc: d' }], body: '{}', context: 'r' };
  return forwardTo('m', 'f');
}

const server = createExtProcServer<string>({
  handlers: {
    route: ({ headers, signal }) => route(headers.get('x-sane') === '1', signal),
    headersOnly: ({ signal }) => route(false, signal),
    rewriteFor: ({ signal }) => route(false, signal),
    responseHeaders: (context) => [{ name: 'x-vsr-selected-model', value: context ?? '' }],
    observe: () => (observation) => {
      if (observation.kind === 'chunk' && observation.body.byteLength === 7) throw new Error('fuzz');
    },
    finished: () => {
      contexts--;
    },
  },
  log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
  counters: { increment: () => undefined },
  maxBodyBytes: MIB,
  maxBufferedBytes: 8 * MIB,
  handlerTimeoutMs: 100,
  keepaliveMs: 1000,
});

process.on('unhandledRejection', (reason) => {
  process.send?.({ unhandled: String(reason) });
});
process.on('message', () => {
  global.gc?.();
  process.send?.({ ...server.load(), contexts, rssMiB: process.memoryUsage().rss / MIB });
});
process.on('disconnect', () => process.exit(0));
const port = await server.listen('127.0.0.1:0');
server.setServing(true);
process.send?.({ port });
