/** Runs a handler for one request: deadline, abort, and the failure mode, so that a stream always gets an outcome. */
import { describeFailure } from './describe-failure.ts';
import type { ExtProcCounters, ExtProcLog } from './handlers.ts';
import type { RouteOutcome } from './machine.ts';
import { unavailableReply } from './replies.ts';

export interface PipelineShared {
  readonly log: ExtProcLog;
  readonly counters: ExtProcCounters;
  readonly handlerTimeoutMs: () => number;
  readonly failureMode: () => 'open' | 'closed';
  /** Pipelines that are running now. */
  readonly deciding: { count: number };
}

/** The outcome of a handler that is not there: the request goes on unchanged. */
export const PASS: RouteOutcome<never> = {
  kind: 'forward',
  mutations: { body: null, setHeaders: [], removeHeaders: [], metadata: {} },
};

/**
 * Starts `run` and hands its outcome to `deliver`. A handler that throws or rejects is delivered as its failure mode; one that takes longer than
 * `handlerTimeoutMs` is aborted and delivered as its failure mode at once, and its late outcome is delivered a second time, so that a context in
 * it is not lost. Abort the controller that comes back when nobody waits any more.
 */
export function runPipeline<Context>(
  run: (signal: AbortSignal) => RouteOutcome<Context> | Promise<RouteOutcome<Context>>,
  deliver: (outcome: RouteOutcome<Context>) => void,
  { log, counters, handlerTimeoutMs, failureMode, deciding }: PipelineShared,
): AbortController {
  const abort = new AbortController();
  // Asked once, here: should they throw, it breaks this stream and not a promise that nobody looks at.
  const mode = failureMode();
  const timeoutMs = handlerTimeoutMs();
  const failed = (message: string): RouteOutcome<Context> =>
    mode === 'open' ? { kind: 'fail_open', message } : unavailableReply();
  deciding.count++;
  const timer = setTimeout(() => {
    if (abort.signal.aborted) return;
    counters.increment('handler_timed_out');
    log.error({ event: 'routing_timed_out', timeout_ms: timeoutMs }, 'routing took too long');
    abort.abort();
    deliver(failed('routing took too long'));
  }, timeoutMs).unref();
  // Started in a turn of its own, so that a handler that throws at once looks like one that rejects.
  void Promise.resolve()
    .then(() => run(abort.signal))
    .catch((thrown: unknown) => {
      // Aborted: the stream is over or already answered, and a second outcome changes nothing.
      if (!abort.signal.aborted) {
        counters.increment('handler_failed');
        log.error({ event: 'routing_failed', ...describeFailure(thrown) }, 'routing failed');
      }
      return failed('routing failed');
    })
    .then((outcome) => {
      clearTimeout(timer);
      deciding.count--;
      deliver(outcome);
    });
  return abort;
}
