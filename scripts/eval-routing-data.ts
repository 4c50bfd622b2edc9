/** What the routing evaluation reads: questions, which model answered which of them right, and what the encoder says of each. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createEncoder, type RunningEncoder } from '../src/ml/encoder.ts';
import { randomFrom } from './eval-routing-curve.ts';

/** One question with what the encoder says of it. */
export interface Question {
  readonly id: string;
  readonly characters: number;
  /** The category that the data set files it under. */
  readonly label: string;
  /** Probabilities in the order of the encoder's labels. */
  readonly categories: readonly number[];
  /** Probability that a tiny, small, mid and strong model answers right. */
  readonly difficulty: readonly number[];
  /** [384], length 1. */
  readonly embedding: Float32Array;
}

/** Which models answered which questions right. */
export interface Grades {
  readonly models: readonly string[];
  /** 1 right, 0 wrong, null where the model gave no answer or the question is unknown. */
  of(model: string, id: string): 0 | 1 | null;
}

export interface Splits {
  readonly labels: readonly string[];
  readonly train: readonly Question[];
  readonly dev: readonly Question[];
  readonly test: readonly Question[];
  /** Name and version of the model folder, and the first digits of its hash. */
  readonly encoder: string;
}

interface Row {
  readonly id: string;
  readonly text: string;
  readonly label: string;
  readonly set: string;
  readonly split: 'train' | 'dev' | 'test';
}

/** An encoding as the cache keeps it; the embedding is float32 in base64. */
interface Cached {
  readonly categories: readonly number[];
  readonly difficulty: readonly number[];
  readonly embedding: string;
}

export const QUESTIONS = 'questions.jsonl.gz';
export const CORRECTNESS = 'correctness.json.gz';
/** Nobody waits: a machine that is busy with other work must not fail the evaluation. */
const DEADLINE_MS = 120_000;
const SAVE_EVERY = 500;

export function readGrades(dataDir: string): Grades {
  const read = JSON.parse(gunzipSync(readFileSync(join(dataDir, CORRECTNESS))).toString('utf8')) as {
    readonly ids: readonly string[];
    readonly models: Readonly<Record<string, string>>;
  };
  const position = new Map(read.ids.map((id, index) => [id, index]));
  return {
    models: Object.keys(read.models).sort(),
    of: (model, id) => {
      const index = position.get(id);
      const mark = index === undefined ? undefined : read.models[model]?.[index];
      return mark === '1' ? 1 : mark === '0' ? 0 : null;
    },
  };
}

/** Draws at most so many questions of each split (seeded) and encodes them; what was encoded before comes from the cache. */
export async function readSplits(options: {
  readonly dataDir: string;
  readonly modelDir: string;
  readonly cacheDir: string;
  readonly most: Readonly<Record<'train' | 'dev' | 'test', number>>;
  readonly seed: number;
  readonly tell: (line: string) => void;
}): Promise<Splits> {
  const rows = gunzipSync(readFileSync(join(options.dataDir, QUESTIONS)))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
    .filter(({ set }) => set === 'mmlu_pro');
  const drawn = {
    train: draw(rows, 'train', options.most.train, options.seed),
    dev: draw(rows, 'dev', options.most.dev, options.seed),
    test: draw(rows, 'test', options.most.test, options.seed),
  };
  const encoder = await createEncoder({ bundleDir: options.modelDir, useCpu: true, workers: 1, memoBytes: 0 });
  try {
    const { manifest } = encoder.info();
    const hash = manifest.files.model.sha256.slice(0, 12);
    const file = join(options.cacheDir, `${manifest.name}-${hash}.json`);
    const cache = readCache(file);
    await encodeMissing([...drawn.test, ...drawn.dev, ...drawn.train], encoder, { cache, file, tell: options.tell });
    const questions = (of: readonly Row[]) => of.map((row) => questionOf(row, cache));
    return {
      labels: encoder.labels,
      train: questions(drawn.train),
      dev: questions(drawn.dev),
      test: questions(drawn.test),
      encoder: `${manifest.name} ${manifest.version} (sha256 ${hash}…)`,
    };
  } finally {
    await encoder.close();
  }
}

/** A seeded sample in random order. */
function draw(rows: readonly Row[], split: Row['split'], most: number, seed: number): readonly Row[] {
  const random = randomFrom(seed);
  return rows
    .filter((row) => row.split === split)
    .map((row) => ({ row, key: random() }))
    .sort((one, two) => one.key - two.key)
    .slice(0, most)
    .map(({ row }) => row);
}

function readCache(file: string): Map<string, Cached> {
  if (!existsSync(file)) return new Map();
  return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Cached>));
}

function writeCache(file: string, cache: ReadonlyMap<string, Cached>): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, JSON.stringify(Object.fromEntries(cache)));
  renameSync(`${file}.part`, file);
}

async function encodeMissing(
  rows: readonly Row[],
  encoder: RunningEncoder,
  { cache, file, tell }: { cache: Map<string, Cached>; file: string; tell: (line: string) => void },
): Promise<void> {
  const missing = rows.filter(({ id }) => !cache.has(id));
  if (missing.length === 0) return;
  tell(`encoding ${missing.length} questions (${rows.length - missing.length} are cached)`);
  for (const [index, { id, text }] of missing.entries()) {
    const outcome = await encoder.encode(text, { deadlineMs: DEADLINE_MS });
    if (outcome.kind === 'failed') throw new Error(`question ${id} could not be encoded: ${outcome.reason}`);
    const { categoryProbabilities, difficulty, embedding } = outcome.encoding;
    if (difficulty === null || embedding === null) throw new Error('the model has no difficulty head or no embedding');
    const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
    cache.set(id, { categories: categoryProbabilities, difficulty, embedding: bytes.toString('base64') });
    if ((index + 1) % SAVE_EVERY === 0) {
      writeCache(file, cache);
      tell(`${index + 1} of ${missing.length}`);
    }
  }
  writeCache(file, cache);
}

function questionOf({ id, text, label }: Row, cache: ReadonlyMap<string, Cached>): Question {
  const cached = cache.get(id);
  if (cached === undefined) throw new Error(`question ${id} was not encoded`);
  const bytes = Uint8Array.from(Buffer.from(cached.embedding, 'base64'));
  return {
    id,
    characters: text.length,
    label,
    categories: cached.categories,
    difficulty: cached.difficulty,
    embedding: new Float32Array(bytes.buffer),
  };
}
