/** A real server on a free port with handlers that a test sets, and everything that it counted and logged. */
import type { Client } from '@grpc/grpc-js';
import type { ExtProcHandlers, ExtProcServer, ExtProcServerOptions } from '../../src/extproc/server.ts';
import { createExtProcServer } from '../../src/extproc/server.ts';
import { connect, TestStream } from './client.ts';
import { forwardTo } from './outcomes.ts';

export { forwardTo };

/** Contexts are names, so that a test can say which one came back. */
export type Handlers = ExtProcHandlers<string>;

export interface Running {
  readonly server: ExtProcServer;
  readonly client: Client;
  readonly port: number;
  readonly counts: Record<string, number>;
  /** Log lines, fields and message in one string. */
  readonly logged: string[];
  /** Contexts that came back, as 'name how'. */
  readonly finished: string[];
  open(role?: string): TestStream;
  stop(): Promise<void>;
}

export async function start(
  handlers: Partial<Handlers>,
  options: Partial<ExtProcServerOptions<string>> = {},
): Promise<Running> {
  const counts: Record<string, number> = {};
  const logged: string[] = [];
  const finished: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const server = createExtProcServer<string>({
    handlers: {
      route: async () => forwardTo('m'),
      finished: (context, how) => void finished.push(`${context} ${how}`),
      ...handlers,
    },
    log: { debug: log, warn: log, error: log },
    counters: { increment: (count) => void (counts[count] = (counts[count] ?? 0) + 1) },
    maxBodyBytes: 32 << 20,
    ...options,
  });
  const port = await server.listen('127.0.0.1:0');
  server.setServing(true);
  const client = connect(port);
  return {
    server,
    client,
    port,
    counts,
    logged,
    finished,
    open: (role = 'route') => new TestStream(client, role),
    stop: async () => {
      client.close();
      await server.close(50);
    },
  };
}

/** Waits until a condition holds; fails after `timeoutMs` with what was waited for. */
export async function until(what: string, condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const give = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > give) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise that a test settles. */
export function gate<Value>(): {
  promise: Promise<Value>;
  open: (value: Value) => void;
  fail: (error: unknown) => void;
} {
  let open: (value: Value) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}
