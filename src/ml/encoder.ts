import { availableParallelism } from 'node:os';
import { RouterError } from '../errors.ts';
import type { Encoder } from '../signals/signals.ts';
import { loadBundle, type Bundle, type Manifest } from './bundle.ts';
import { createGlance } from './glance.ts';
import { Memo, memoKey } from './memo.ts';
import type { WorkerSetup } from './messages.ts';
import { EncoderPool, type EncoderEvents } from './pool.ts';
import type { OutputWidths, Provider } from './session.ts';
import { SharedPasses } from './shared-passes.ts';
import { spawnWorker, type SpawnWorker } from './spawn.ts';
import { createTokenizer } from './tokenizer.ts';
import { cutCharacters } from './window.ts';

/** The part of a structured logger that the encoder needs. */
export interface EncoderLog {
  info(fields: object): void;
  warn(fields: object): void;
}

export interface EncoderOptions {
  /** A folder with a manifest.json. */
  readonly bundleDir: string;
  /** False asks for CUDA first, and falls back to the CPU with a warning. */
  readonly useCpu: boolean;
  /** Worker threads, 1 or more; two, or one on a single core, when left out. */
  readonly workers?: number;
  /** Texts that may wait for a worker. */
  readonly queueLimit?: number;
  /** Memory for remembered encodings; 0 turns remembering off. */
  readonly memoBytes?: number;
  readonly events?: Partial<EncoderEvents>;
  readonly log?: EncoderLog;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
  /** How a worker thread is made. */
  readonly spawn?: SpawnWorker;
}

export interface EncoderInfo {
  readonly manifest: Manifest;
  readonly dir: string;
  readonly provider: Provider;
  readonly workers: number;
  /** Workers that can take a text now; 0 means that `encode` answers encoder_unavailable. */
  readonly readyWorkers: number;
  readonly queueDepth: number;
  readonly memoEntries: number;
}

/** An Encoder with a life: close it, or its worker threads keep the process alive. */
export interface RunningEncoder extends Encoder {
  info(): EncoderInfo;
  close(): Promise<void>;
}

/** Beyond two the router's own thread is the narrow place on small machines; more is the operator's choice. */
const DEFAULT_WORKERS = 2;
/** At 64 tokens two workers clear this many in half a second: whoever is further back than that is past any sensible deadline. */
const DEFAULT_QUEUE_LIMIT = 256;
/** About 7,000 encodings with embedding. */
const DEFAULT_MEMO_BYTES = 16 * 1024 * 1024;

/**
 * Loads a model folder, checks it, and starts its workers; resolves when all of them are warm. Throws RouterError MODEL_BUNDLE_INVALID or
 * MODEL_LOAD_FAILED. Afterwards nothing throws: a worker that dies is started again, and `encode` says what went wrong.
 */
export async function createEncoder(options: EncoderOptions): Promise<RunningEncoder> {
  const bundle = await loadBundle(options.bundleDir);
  const { manifest } = bundle;
  const workers = Math.max(1, options.workers ?? Math.min(DEFAULT_WORKERS, availableParallelism()));
  // Before any worker is there: what is wrong with its files is an error of this call, and nothing has to be stopped.
  const tokenizer = createTokenizer(bundle.tokenizerJson, bundle.tokenizerConfigJson, manifest.inputs);
  const glance = createGlance(bundle);
  const { pool, provider } = await startPool(bundle, workers, options);
  const memo = new Memo(options.memoBytes ?? DEFAULT_MEMO_BYTES);
  const sharing = new SharedPasses(tokenizer, pool, memo, manifest, glance);

  return {
    labels: manifest.outputs.category.labels,
    labelThresholds: manifest.outputs.category.thresholds,
    difficultyLabels: manifest.outputs.difficulty?.labels ?? [],
    async encode(text, { deadlineMs, signal }) {
      if (signal?.aborted === true) return { kind: 'failed', reason: 'deadline' };
      const cut = cutCharacters(text, manifest.inputs);
      if (cut.tail === null && cut.head.trim() === '') return { kind: 'failed', reason: 'no_text' };
      const key = memoKey(cut);
      const known = memo.get(key);
      options.events?.memoHit?.(known !== undefined || sharing.has(key));
      if (known !== undefined) return { kind: 'encoded', encoding: { ...known, memoised: true } };
      // No time left: what could only come too late is not begun.
      if (deadlineMs <= 0) return { kind: 'failed', reason: 'deadline' };
      return sharing.join(key, cut, deadlineMs, signal);
    },
    ...(glance === null ? {} : { glance: (text) => glance(tokenizer.encode(text)) }),
    info: () => ({
      manifest,
      dir: bundle.dir,
      provider: provider(),
      workers,
      readyWorkers: pool.readyWorkers,
      queueDepth: pool.queueDepth,
      memoEntries: memo.size,
    }),
    close: () => pool.close(),
  };
}

/** Resolves when every worker is warm; the first that cannot start closes the rest and is the error. */
async function startPool(
  bundle: Bundle,
  workers: number,
  options: EncoderOptions,
): Promise<{ readonly pool: EncoderPool; readonly provider: () => Provider }> {
  const { log } = options;
  const warned = new Set<string>();
  let provider: Provider = 'cpu';
  let waiting = workers;
  let started: () => void;
  let broken: (reason: string) => void;
  const running = new Promise<void>((resolve, reject) => {
    started = resolve;
    broken = (reason) => reject(loadFailed(bundle.dir, reason));
  });
  const setup: WorkerSetup = {
    modelPath: bundle.modelPath,
    maxTokens: bundle.manifest.inputs.max_tokens,
    widths: outputWidths(bundle),
    categoryHead: bundle.categoryHead,
    providers: options.useCpu ? ['cpu'] : ['cuda', 'cpu'],
  };
  const spawn = options.spawn ?? spawnWorker;
  const pool = new EncoderPool({
    spawn: (number) => spawn(setup, `encoder-${number}`),
    workers,
    queueLimit: options.queueLimit ?? DEFAULT_QUEUE_LIMIT,
    events: options.events ?? {},
    clock: options.clock ?? (() => performance.now()),
    onReady: (loaded, warnings) => {
      provider = loaded;
      for (const warning of warnings) {
        if (!warned.has(warning)) log?.warn({ event: 'encoder_provider_fallback', msg: warning, provider: loaded });
        warned.add(warning);
      }
      waiting -= 1;
      if (waiting === 0) started();
    },
    onBroken: (reason, pauseMs) => {
      if (waiting > 0) broken(reason);
      else
        log?.warn({
          event: 'encoder_worker_restart',
          msg: 'an encoder worker broke and is started again',
          reason,
          pauseMs,
        });
    },
  });
  try {
    await running;
  } catch (error) {
    await pool.close();
    throw error;
  }
  return { pool, provider: () => provider };
}

function outputWidths({ manifest: { outputs }, categoryHead }: Bundle): OutputWidths {
  return {
    category: categoryHead === null ? outputs.category.labels.length : null,
    difficulty: outputs.difficulty?.labels.length ?? null,
    jailbreak: outputs.jailbreak !== undefined,
    embedding: outputs.embedding?.dims ?? null,
  };
}

function loadFailed(where: string, reason: string): RouterError {
  return new RouterError({
    code: 'MODEL_LOAD_FAILED',
    source: 'internal',
    where,
    message: `the encoder cannot start: ${reason}`,
    hint: 'Restore the folder from the release, or make it again with training/',
  });
}
