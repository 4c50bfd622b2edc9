import { Command, InvalidArgumentError } from 'commander';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { chooseCategories, type Example } from '../learn/categories.ts';
import { embedAll } from '../learn/embed.ts';
import { learn } from '../learn/learn.ts';
import { occupant, writeModelFolder } from '../learn/model-folder.ts';
import { reportJson, reportText } from '../learn/report.ts';
import { parseRows } from '../learn/rows.ts';
import { createEncoder, type EncoderInfo } from '../ml/encoder.ts';
import { readNamedFile } from './config-file.ts';
import { modelFolder } from '../model-folder.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { progressOn, type Progress } from './progress.ts';
import { writeRowProblems } from './row-problems.ts';

interface TrainOptions {
  readonly data: string;
  readonly out: string;
  readonly base: string;
  readonly precision: number;
  readonly withTexts: boolean;
  readonly force: boolean;
}

/** 10,000 long texts are some 20 MB; a larger file is not read into memory. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** `switchyard train`: categories of the user's own, from labelled examples, as a model folder. */
export function trainCommand(): Command {
  return new Command('train')
    .description('Learns categories of your own from labelled examples and writes a model folder for model_id.')
    .requiredOption('--data <file>', 'JSON Lines: {"text": "…", "label": "…"}, 10 to 10,000 of them')
    .requiredOption('--out <folder>', 'the model folder to write, like models/mine')
    .option('--base <folder>', 'the model whose encoder is used', 'models/switchyard-minilm')
    .option('--precision <share>', "share of a category's answers that must be right; sets the thresholds", share, 0.9)
    .option('--with-texts', 'keep example texts in report.json', false)
    .option('--force', 'replace a folder that an earlier run wrote', false)
    .action(async (options: TrainOptions) => {
      const start = performance.now();
      const { labels, examples, warnings } = await readExamples(options.data);
      await requireFree(options.out, options.force);
      const progress = progressOn(process.stderr, () => performance.now());
      const { embeddings, base, unread } = await embed(examples, options.base, progress);
      const learnt = learn({
        labels,
        examples,
        embeddings,
        targetPrecision: options.precision,
        onProgress: (done) => progress.show('learning', done),
      });
      progress.clear();
      if (unread > 0) {
        warnings.push(
          `${unread} texts are in a language that the encoder does not read: requests like them will get no category`,
        );
      }
      const input = { learnt, labels, examples, warnings, withTexts: options.withTexts };
      const dir = await writeModelFolder({
        out: options.out,
        base,
        learnt,
        labels,
        dataName: basename(options.data),
        report: reportJson(input),
      });
      for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
      process.stdout.write(reportText(input));
      process.stdout.write(nextSteps(options.out, dir, (performance.now() - start) / 1000));
    });
}

async function readExamples(
  file: string,
): Promise<{ readonly labels: readonly string[]; readonly examples: readonly Example[]; readonly warnings: string[] }> {
  const bytes = await readNamedFile(file);
  if (bytes.byteLength > MAX_FILE_BYTES) throw new CommandFailure(EXIT.failure, `${file}: larger than 256 MiB`);
  const outcome = parseRows(new TextDecoder().decode(bytes));
  if (outcome.kind === 'bad') throw writeRowProblems(file, outcome.problems, 'nothing was trained');
  const chosen = chooseCategories(outcome.rows);
  if (chosen.kind === 'bad') throw new CommandFailure(EXIT.failure, `${file}: ${chosen.problem}`);
  const repeated = outcome.repeats === 0 ? [] : [`${outcome.repeats} lines repeat another one: they count once`];
  return { ...chosen, warnings: [...chosen.warnings, ...repeated] };
}

async function requireFree(out: string, force: boolean): Promise<void> {
  const found = await occupant(resolve(out));
  if (found === 'nothing' || (found === 'trained' && force)) return;
  throw new CommandFailure(
    EXIT.usage,
    found === 'trained'
      ? `${out}: there is a model already; --force replaces it`
      : `${out}: there is something else; it is left alone. Name a new folder`,
  );
}

async function embed(
  examples: readonly Example[],
  base: string,
  progress: Progress,
): Promise<{
  readonly embeddings: readonly Float32Array[];
  readonly base: EncoderInfo;
  readonly unread: number;
}> {
  const encoder = await createEncoder({ bundleDir: modelFolder(base), useCpu: true, memoBytes: 0 });
  try {
    const texts = examples.map(({ text }) => text);
    const outcome = await embedAll(texts, encoder, (done) => progress.show('reading', done));
    if (outcome.kind === 'embedded') return { ...outcome, base: encoder.info() };
    progress.clear();
    const line = examples[outcome.position]?.line ?? 0;
    throw new CommandFailure(EXIT.failure, `line ${line}: the encoder gave no embedding: ${outcome.reason}`);
  } finally {
    await encoder.close();
  }
}

function nextSteps(out: string, dir: string, seconds: number): string {
  const inside = existsSync(dir) && dir === modelFolder(basename(dir));
  const id = inside ? basename(dir) : dir;
  return `
${out} written in ${seconds.toFixed(1)} s. In the config:

classifier:
  category_model: { model_id: ${JSON.stringify(id)}, threshold: 0 }

with threshold 0 the thresholds above decide alone; a higher one also holds for every category.
`;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < 1)) throw new InvalidArgumentError('Write a share, like 0.9.');
  return value;
}
