import type { Worker } from 'node:worker_threads';
import type { Provider, RawEncoding } from './session.ts';
import { EncoderThread } from './thread.ts';
import type { Tokens } from './tokenizer.ts';

/** What the pool tells whoever counts. All times in milliseconds. */
export interface EncoderEvents {
  /** Texts that wait for a worker, after each change. */
  queueDepth(texts: number): void;
  /** Texts of one forward pass, as it is sent. */
  batchSize(texts: number): void;
  /** How long one text waited before it was sent to a worker. */
  queueWaitMs(ms: number): void;
  /** The forward pass of one batch, in the worker. */
  inferenceMs(ms: number): void;
  /** One look-up in the memo; joining a pass that is under way counts as a hit. */
  memoHit(hit: boolean): void;
  /** A worker died or hung and is started again. */
  restarts(reason: string): void;
}

/** What the graph said about a text, and what of the text it read. */
export interface TextResult {
  readonly raw: RawEncoding;
  readonly tokens: Tokens;
}

export type PoolOutcome =
  | { readonly kind: 'done'; readonly result: TextResult }
  | { readonly kind: 'failed'; readonly reason: 'queue_full' | 'encoder_error' | 'encoder_unavailable' | 'dropped' };

/** One text on its way through the pool. */
export interface Ticket {
  /** Never rejects. */
  readonly outcome: Promise<PoolOutcome>;
  /** Takes the text out of the queue and says true; false when a worker has it already, which then goes on. */
  drop(): boolean;
}

export interface PoolOptions {
  /** Makes the worker of this number, counted from 1. */
  readonly spawn: (number: number) => Worker;
  readonly workers: number;
  /** Texts that may wait; those being worked on are not counted. */
  readonly queueLimit: number;
  readonly events: Partial<EncoderEvents>;
  readonly clock: () => number;
  /** Silence after which a worker with work is given up. */
  readonly hangMs?: number;
  readonly onReady: (provider: Provider, warnings: readonly string[]) => void;
  readonly onBroken: (reason: string, pauseMs: number) => void;
}

interface Job {
  readonly tokens: Tokens;
  readonly queuedAt: number;
  readonly finish: (outcome: PoolOutcome) => void;
}

/**
 * Largest batch by provider. On a CPU a batch costs as much as its texts one by one (docs/decisions/2026-11-22-one-encoder-pass.md), and
 * with a dynamically quantised model a text's result would depend on its neighbours: there, one text a pass. A GPU works on many at once.
 */
const MAX_BATCH: Readonly<Record<Provider, number>> = { cpu: 1, cuda: 16 };
/** A batch is padded to its longest text; one that is longer than this many times the first waits for the next batch. */
const MAX_LENGTH_RATIO = 2;
/** One batch is computed while the next lies ready, so that a worker never waits for the main thread. */
const BATCHES_AHEAD = 2;
const NOT_YET: readonly Job[] = [];

/** First come, first served over the worker threads, with a bounded queue. */
export class EncoderPool {
  readonly #options: PoolOptions;
  readonly #threads: readonly EncoderThread[];
  /** Insertion order is the order of service; a job that is dropped costs nothing. */
  readonly #queue = new Set<Job>();
  #maxBatch = MAX_BATCH.cpu;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#threads = Array.from(
      { length: options.workers },
      (_, index) =>
        new EncoderThread({
          spawn: () => options.spawn(index + 1),
          ...(options.hangMs === undefined ? {} : { hangMs: options.hangMs }),
          onReady: (provider, warnings) => {
            this.#maxBatch = MAX_BATCH[provider];
            options.onReady(provider, warnings);
            this.#dispatch();
          },
          onBroken: (reason, pauseMs) => {
            options.events.restarts?.(reason);
            options.onBroken(reason, pauseMs);
            this.#dispatch();
          },
        }),
    );
  }

  get queueDepth(): number {
    return this.#queue.size;
  }

  get readyWorkers(): number {
    return this.#threads.filter((thread) => thread.ready).length;
  }

  submit(tokens: Tokens): Ticket {
    if (this.#closed || this.readyWorkers === 0) return refused('encoder_unavailable');
    if (this.#queue.size >= this.#options.queueLimit && this.#freeThread() === undefined) return refused('queue_full');
    let finish: (outcome: PoolOutcome) => void = () => undefined;
    const outcome = new Promise<PoolOutcome>((resolve) => (finish = resolve));
    const job: Job = { tokens, queuedAt: this.#options.clock(), finish };
    this.#queue.add(job);
    this.#dispatch();
    return {
      outcome,
      drop: () => {
        if (!this.#queue.delete(job)) return false;
        job.finish({ kind: 'failed', reason: 'dropped' });
        this.#options.events.queueDepth?.(this.#queue.size);
        return true;
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseAll();
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #dispatch(): void {
    if (this.readyWorkers === 0) this.#refuseAll();
    while (this.#queue.size > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) break;
      void this.#send(thread, this.#nextBatch());
    }
    this.#options.events.queueDepth?.(this.#queue.size);
  }

  async #send(thread: EncoderThread, jobs: readonly Job[]): Promise<void> {
    const { events, clock } = this.#options;
    const now = clock();
    events.batchSize?.(jobs.length);
    for (const job of jobs) events.queueWaitMs?.(now - job.queuedAt);
    try {
      const { results, inferenceMs } = await thread.run(jobs.map((job) => job.tokens.ids));
      events.inferenceMs?.(inferenceMs);
      for (const [index, job] of jobs.entries()) {
        const raw = results[index];
        const { tokens } = job;
        job.finish(
          raw === undefined ? { kind: 'failed', reason: 'encoder_error' } : { kind: 'done', result: { raw, tokens } },
        );
      }
    } catch {
      // The thread reports its own death; a failed pass of a living thread is these texts' own.
      for (const job of jobs) job.finish({ kind: 'failed', reason: 'encoder_error' });
    }
    this.#dispatch();
  }

  /** The least loaded thread that may take a batch. */
  #freeThread(): EncoderThread | undefined {
    let best: EncoderThread | undefined;
    for (const thread of this.#threads) {
      if (!thread.ready || thread.inFlight >= BATCHES_AHEAD) continue;
      if (best === undefined || thread.inFlight < best.inFlight) best = thread;
    }
    return best;
  }

  /** The oldest text, and up to the batch limit those waiting that are of about its length. */
  #nextBatch(): readonly Job[] {
    const [first] = this.#queue;
    if (first === undefined) return NOT_YET;
    const batch: Job[] = [];
    for (const job of this.#queue) {
      if (batch.length === this.#maxBatch) break;
      if (job.tokens.ids.length > first.tokens.ids.length * MAX_LENGTH_RATIO && job !== first) continue;
      batch.push(job);
      this.#queue.delete(job);
    }
    return batch;
  }

  #refuseAll(): void {
    for (const job of this.#queue) job.finish({ kind: 'failed', reason: 'encoder_unavailable' });
    this.#queue.clear();
  }
}

/** A ticket for what no worker gets. */
export function refused(reason: Extract<PoolOutcome, { kind: 'failed' }>['reason']): Ticket {
  return { outcome: Promise.resolve({ kind: 'failed', reason }), drop: () => false };
}
