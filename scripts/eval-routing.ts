/**
 * How much quality routing buys for its cost: `npm run eval:routing`. Prints APGR, CPT50 and CPT80 with intervals and writes
 * docs/routing-evaluation.md and docs/routing-curve.svg. Encodings are kept in training/work/, so that a second run takes seconds.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { CORRECTNESS, QUESTIONS, readGrades, readSplits, type Grades, type Splits } from './eval-routing-data.ts';
import { measureMany, measurePair } from './eval-routing-measure.ts';
import { markdown, terminalTable, verdicts, type Report } from './eval-routing-report.ts';
import { gradedBoth, type Pair } from './eval-routing-strategies.ts';
import { drawCurves } from './eval-routing-svg.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MOST = { train: 3000, dev: 0, test: 1200 };
/** Models of one family that people serve themselves, and pairs further apart. Named before anything was measured on the test questions. */
const OTHER_PAIRS: readonly Pair[] = [
  { small: 'Meta-Llama-3_1-8B-Instruct', large: 'gemini-1.5-pro-002' },
  { small: 'Mixtral-8x7B-Instruct-v0.1', large: 'gemini-1.5-flash-002' },
  { small: 'Phi-3-mini-4k-instruct', large: 'Meta-Llama-3_1-70B-Instruct' },
  { small: 'Qwen1.5-7B-Chat', large: 'Qwen1.5-72B-Chat' },
];
/** In points of accuracy: below it there is little to gain and APGR is mostly noise. */
const LEAST_GAP = 10;
const DRAWS_OF_MANY = 200;

const { values: args } = parseArgs({
  options: {
    data: {
      type: 'string',
      default: process.env['SWITCHYARD_TRAINING_DATA'] ?? join(ROOT, '..', 'shared', 'ml', 'data'),
    },
    model: { type: 'string', default: 'switchyard-minilm' },
    small: { type: 'string', default: 'Meta-Llama-3_1-8B-Instruct' },
    large: { type: 'string', default: 'Meta-Llama-3_1-70B-Instruct' },
    draws: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});

async function main(): Promise<void> {
  const missing = [QUESTIONS, CORRECTNESS].filter((file) => !existsSync(join(args.data, file)));
  if (missing.length > 0) {
    throw new Error(
      `${missing.join(' and ')} not found in ${args.data}. Give their folder with --data or SWITCHYARD_TRAINING_DATA (training/README.md says what they are).`,
    );
  }
  const seed = wholeNumber('seed', args.seed);
  const draws = wholeNumber('draws', args.draws);
  const grades = readGrades(args.data);
  const pair = { small: args.small, large: args.large };
  for (const model of [pair.small, pair.large]) {
    if (!grades.models.includes(model)) throw new Error(`no model ${model}. There are: ${grades.models.join(', ')}`);
  }
  const splits = await readSplits({
    dataDir: args.data,
    modelDir: resolve(ROOT, 'models', args.model),
    cacheDir: join(ROOT, 'training', 'work', 'routing'),
    most: MOST,
    seed,
    tell: (line) => process.stderr.write(`${line}\n`),
  });
  const report: Report = {
    encoder: splits.encoder,
    counts: { train: splits.train.length, test: splits.test.length },
    draws,
    main: measurePair(pair, splits, grades, { seed, draws }),
    others: OTHER_PAIRS.map((other) => measurePair(other, splits, grades, { seed, draws })),
    many: measureMany(pairsApart(splits, grades), splits, grades, { seed, draws: Math.min(draws, DRAWS_OF_MANY) }),
    leastGap: LEAST_GAP,
  };
  process.stdout.write(`${terminalTable(report.main)}\n\n${verdicts(report)}\n`);
  await write('docs/routing-evaluation.md', markdown(report));
  writeFileSync(join(ROOT, 'docs/routing-curve.svg'), drawCurves(report.main));
  process.stdout.write('\nwrote docs/routing-evaluation.md and docs/routing-curve.svg\n');
}

/** Chosen by the train questions, so that no test answer has a say in it. */
function pairsApart(splits: Splits, grades: Grades): readonly Pair[] {
  return grades.models.flatMap((small) =>
    grades.models.flatMap((large) => {
      const rows = gradedBoth(splits.train, { small, large }, grades);
      const gap = rows.reduce((sum, row) => sum + row.large - row.small, 0) / rows.length;
      return 100 * gap >= LEAST_GAP ? [{ small, large }] : [];
    }),
  );
}

async function write(path: string, text: string): Promise<void> {
  const file = join(ROOT, path);
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} wants a whole number from 1 on`);
  return value;
}

main().catch((thrown: unknown) => {
  process.stderr.write(`eval:routing: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
});
