/**
 * One worker thread with its life. Modes:
 *   starting → ready      the worker has loaded the model and says so
 *   starting → broken     it could not load, died or took too long: start again after a pause
 *   ready    → broken     it died, or did not answer for `hangMs`: what was in flight fails, start again after a pause
 *   broken   → starting   the pause is over; it doubles from 100 ms to 30 s and is back to 100 ms once a text was encoded
 *   any      → closed     for good
 */
import type { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { Provider, RawEncoding } from './session.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** A full window takes 20 ms on a slow core; a worker that is silent for this long will not come back. */
const DEFAULT_HANG_MS = 10_000;
/** Time to load the model; a GPU's libraries may take many seconds at first. */
const START_MS = 60_000;
/** Time to finish the pass that runs when the router stops. */
const CLOSE_MS = 2_000;

export interface Pass {
  readonly results: readonly RawEncoding[];
  readonly inferenceMs: number;
}

export interface ThreadOptions {
  /** Makes a new worker; it is ready once it says so. */
  readonly spawn: () => Worker;
  /** Silence after which a worker with work is given up. */
  readonly hangMs?: number;
  /** The thread can take work (again). */
  readonly onReady: (provider: Provider, warnings: readonly string[]) => void;
  /** The thread died or could not start; it starts again in `pauseMs`. */
  readonly onBroken: (reason: string, pauseMs: number) => void;
}

interface Flight {
  readonly resolve: (pass: Pass) => void;
  readonly reject: (error: Error) => void;
}

export class EncoderThread {
  readonly #options: ThreadOptions;
  readonly #flights = new Map<number, Flight>();
  #worker: Worker | null = null;
  #mode: 'starting' | 'ready' | 'broken' | 'closed' = 'starting';
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #nextId = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#start();
  }

  get ready(): boolean {
    return this.#mode === 'ready';
  }

  /** Passes that were sent and not answered. */
  get inFlight(): number {
    return this.#flights.size;
  }

  /** Sends rows of token ids as one batch; rejects when the thread dies or the pass fails. Call only while `ready`. */
  run(rows: readonly (readonly number[])[]): Promise<Pass> {
    const worker = this.#worker;
    if (worker === null || !this.ready) return Promise.reject(new Error('the encoder worker is not ready'));
    const id = (this.#nextId += 1);
    return new Promise((resolve, reject) => {
      this.#flights.set(id, { resolve, reject });
      if (this.#flights.size === 1) this.#watch();
      worker.postMessage({ kind: 'run', id, rows } satisfies ToWorker);
    });
  }

  async close(): Promise<void> {
    this.#mode = 'closed';
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'close' } satisfies ToWorker);
    const impatient = setTimeout(() => void worker.terminate(), CLOSE_MS);
    await gone;
    clearTimeout(impatient);
    this.#failAll('the encoder was closed');
  }

  #start(): void {
    this.#mode = 'starting';
    const worker = this.#options.spawn();
    this.#worker = worker;
    this.#watchdog = setTimeout(() => this.#break(worker, `not ready after ${START_MS} ms`), START_MS);
    worker.on('message', (message: FromWorker) => this.#receive(worker, message));
    worker.on('error', (error: unknown) => this.#break(worker, messageOf(error)));
    worker.on('messageerror', (error) => this.#break(worker, messageOf(error)));
    worker.on('exit', (code) => this.#break(worker, `the worker ended with code ${code}`));
  }

  #receive(worker: Worker, message: FromWorker): void {
    if (worker !== this.#worker) return;
    switch (message.kind) {
      case 'ready':
        this.#mode = 'ready';
        clearTimeout(this.#watchdog);
        this.#options.onReady(message.provider, message.warnings);
        break;
      case 'refused':
        this.#break(worker, message.message);
        break;
      case 'done':
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#settle(message.id)?.resolve(message);
        break;
      case 'failed':
        this.#settle(message.id)?.reject(new Error(message.message));
        break;
    }
  }

  #settle(id: number): Flight | undefined {
    const flight = this.#flights.get(id);
    this.#flights.delete(id);
    this.#watch();
    return flight;
  }

  /** Each answer restarts the wait for the next one. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
    const worker = this.#worker;
    if (this.#flights.size === 0 || worker === null) return;
    const hangMs = this.#options.hangMs ?? DEFAULT_HANG_MS;
    const watchdog = setTimeout(() => {
      // Answers may wait behind a main thread that was itself held up: they are read before the verdict.
      setImmediate(() => {
        if (this.#watchdog === watchdog) this.#break(worker, `no answer for ${hangMs} ms`);
      });
    }, hangMs);
    this.#watchdog = watchdog;
  }

  #break(worker: Worker, reason: string): void {
    if (worker !== this.#worker || this.#mode === 'closed') return;
    this.#worker = null;
    this.#mode = 'broken';
    clearTimeout(this.#watchdog);
    void worker.terminate();
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    this.#timer = setTimeout(() => this.#start(), pauseMs);
    this.#failAll(reason);
    this.#options.onBroken(reason, pauseMs);
  }

  #failAll(reason: string): void {
    const flights = [...this.#flights.values()];
    this.#flights.clear();
    for (const flight of flights) flight.reject(new Error(reason));
  }
}
