/** The gRPC server that Envoy talks to: ext_proc and health on one port. */
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { messageOf, RouterError } from '../errors.ts';
import { ByteBudget } from './budget.ts';
import type { ExtProcCounters, ExtProcHandlers, ExtProcLog } from './handlers.ts';
import { Health } from './health.ts';
import { loadProtocol } from './protocol.ts';
import type { ProcessCall, StreamShared } from './stream.ts';
import { serveStream } from './stream.ts';

export type * from './handlers.ts';

export interface ExtProcServerOptions<Context> {
  readonly handlers: ExtProcHandlers<Context>;
  readonly log: ExtProcLog;
  readonly counters: ExtProcCounters;
  /** Bytes of one request body; a larger one is answered 413. */
  readonly maxBodyBytes: number;
  /** Bytes of the answers that one message may bring, to be checked or to be given after all. Default 0: only as many as a body. */
  readonly maxAnswersBytes?: number;
  /** Bytes that the bodies of all undecided requests may hold together; over it 503 with retry-after. At least two full bodies. Default 256 MiB. */
  readonly maxBufferedBytes?: number;
  /** Milliseconds until a handler counts as failed; a function is asked for each request, so that a reload counts. Keep it below the filter's message_timeout, so that our failure mode answers and not Envoy's. Default 1500. */
  readonly handlerTimeoutMs?: number | (() => number);
  /**
   * Milliseconds between pings to each peer; one that does not answer within as long again (5 s at most) is cut. Without it, streams of a machine
   * that vanished, or of a connection that broke HTTP/2, would stay forever. Default 30000.
   */
  readonly keepaliveMs?: number;
  /** What a failed handler means; asked for each request, so that a reload counts. Default open. */
  readonly failureMode?: () => 'open' | 'closed';
}

/** What the server is doing now, for gauges. */
export interface ExtProcLoad {
  readonly openStreams: number;
  /** Pipelines running. */
  readonly deciding: number;
  /** Bytes of undecided requests. */
  readonly bufferedBytes: number;
}

export interface ExtProcServer {
  /** Binds 'host:port' (port 0: any free one) or 'unix:/path' and gives the port. Health says NOT_SERVING until `setServing(true)`. */
  listen(hostPort: string): Promise<number>;
  setServing(serving: boolean): void;
  /** Health turns to NOT_SERVING, no new stream is taken, running ones may finish for `graceMs`, then they are cut. */
  close(graceMs: number): Promise<void>;
  load(): ExtProcLoad;
}

/** Room in a message for headers, attributes and metadata beside the body. */
const MESSAGE_SLACK_BYTES = 1 << 20;
const DEFAULT_BUFFERED_BYTES = 256 * 1024 * 1024;
const DEFAULT_HANDLER_TIMEOUT_MS = 1500;
const DEFAULT_KEEPALIVE_MS = 30_000;
const MAX_KEEPALIVE_TIMEOUT_MS = 5000;
/** Streams at once on one connection; Envoy opens another connection above it. Without a limit one peer could open millions. */
const MAX_STREAMS_PER_CONNECTION = 4096;

/** A server that is not listening yet. */
export function createExtProcServer<Context>(options: ExtProcServerOptions<Context>): ExtProcServer {
  const { handlers, maxBodyBytes } = options;
  // What the library would print on the console comes back as errors, and the log is ours alone.
  setLogVerbosity(logVerbosity.NONE);
  const keepaliveMs = options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS;
  const server = new Server({
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': Math.min(keepaliveMs, MAX_KEEPALIVE_TIMEOUT_MS),
    'grpc.max_receive_message_length': Math.max(maxBodyBytes, options.maxAnswersBytes ?? 0) + MESSAGE_SLACK_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
  });
  const timeout = options.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS;
  const health = new Health();
  const shared: StreamShared<Context> = {
    handlers,
    log: options.log,
    counters: options.counters,
    settings: { maxBodyBytes, needsBody: (headers) => handlers.needsBody?.(headers) ?? true },
    budget: new ByteBudget(Math.max(options.maxBufferedBytes ?? DEFAULT_BUFFERED_BYTES, 2 * maxBodyBytes)),
    handlerTimeoutMs: typeof timeout === 'number' ? () => timeout : timeout,
    failureMode: options.failureMode ?? (() => 'open'),
    deciding: { count: 0 },
  };
  let openStreams = 0;
  const protocol = loadProtocol();
  server.addService(protocol.health, health.implementation);
  server.addService(protocol.extProc, {
    Process: (call: ProcessCall) => {
      openStreams++;
      call.once('close', () => openStreams--);
      serveStream(call, shared);
    },
  });

  return {
    listen: (hostPort) =>
      new Promise((resolve, reject) => {
        server.bindAsync(hostPort, ServerCredentials.createInsecure(), (error, port) => {
          if (error === null) resolve(port);
          else reject(listenError(hostPort, error));
        });
      }),
    setServing: (serving) => health.setServing(serving),
    close: (graceMs) => {
      health.close();
      return new Promise((resolve) => {
        const cut = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(cut);
          resolve();
        });
      });
    },
    load: () => ({ openStreams, deciding: shared.deciding.count, bufferedBytes: shared.budget.usedBytes }),
  };
}

function listenError(hostPort: string, cause: unknown): RouterError {
  return new RouterError({
    code: 'GRPC_LISTEN_FAILED',
    source: 'internal',
    where: hostPort,
    message: `cannot listen for Envoy: ${messageOf(cause)}`,
    hint: 'Free the port, or choose another with --grpc',
    cause,
  });
}
