import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { FileEntry, Manifest } from '../ml/bundle.ts';
import { printHead } from '../ml/linear-head.ts';
import type { Learnt } from './learn.ts';

const HEAD_FILE = 'category_head.json';
const BASE_FILES = ['model', 'tokenizer', 'tokenizer_config'] as const;

export interface ModelFolderInput {
  readonly out: string;
  /** The base model's folder and manifest, checked by loadBundle. */
  readonly base: { readonly dir: string; readonly manifest: Manifest };
  readonly learnt: Learnt;
  readonly labels: readonly string[];
  readonly dataName: string;
  readonly report: object;
}

/** What stands at `path`: nothing, a folder that was trained from a user's data, or something that must not be overwritten. */
export async function occupant(path: string): Promise<'nothing' | 'trained' | 'something_else'> {
  try {
    const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as Partial<Manifest>;
    return manifest.files?.category_head === undefined ? 'something_else' : 'trained';
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return 'something_else';
  }
  try {
    // An empty folder may be filled: rename takes its place.
    await rmdir(path);
    return 'nothing';
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'nothing' : 'something_else';
  }
}

/** Writes a model folder beside `out` and moves it there as a whole: a reader sees the old one or the new one. Returns its path. */
export async function writeModelFolder(input: ModelFolderInput): Promise<string> {
  const out = resolve(input.out);
  const making = join(dirname(out), `.${basename(out)}.${process.pid}.tmp`);
  await mkdir(making, { recursive: true });
  try {
    for (const role of BASE_FILES) {
      const { path } = input.base.manifest.files[role];
      await mkdir(dirname(join(making, path)), { recursive: true });
      await copyFile(join(input.base.dir, path), join(making, path));
    }
    const head = printHead(input.learnt.head);
    await writeFile(join(making, HEAD_FILE), head);
    const manifest = ownManifest(input, basename(out), {
      path: HEAD_FILE,
      sha256: createHash('sha256').update(head).digest('hex'),
      bytes: Buffer.byteLength(head),
    });
    await writeFile(join(making, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await writeFile(join(making, 'report.json'), `${JSON.stringify(input.report, null, 2)}\n`);
    await writeFile(join(making, 'README.md'), modelCard(manifest));
    await rm(out, { recursive: true, force: true });
    await rename(making, out);
    return out;
  } catch (thrown) {
    await rm(making, { recursive: true, force: true });
    throw thrown;
  }
}

/** The base's manifest with the user's labels; its category scores do not hold any more, those of the other heads do. */
function ownManifest({ base, learnt, labels, dataName }: ModelFolderInput, name: string, head: FileEntry): Manifest {
  const { scores, coverage, temperature, thresholds } = learnt;
  const inherited = Object.entries(base.manifest.scores).filter(([key]) => /difficulty|jailbreak/.test(key));
  const { model, tokenizer, tokenizer_config } = base.manifest.files;
  return {
    ...base.manifest,
    name,
    version: `0.1.0+${head.sha256.slice(0, 12)}`,
    // Without the base's table of tokens, which knows the base's categories only.
    files: { model, tokenizer, tokenizer_config, category_head: head },
    outputs: {
      ...base.manifest.outputs,
      category: { labels, temperature, thresholds: thresholds.map((value) => Number(value.toFixed(6))) },
    },
    scores: {
      ...Object.fromEntries(inherited),
      cross_validation_rows: scores.rows,
      cross_validation_accuracy: scores.accuracy.value,
      cross_validation_accuracy_low: scores.accuracy.low,
      cross_validation_accuracy_high: scores.accuracy.high,
      cross_validation_macro_f1: scores.macroF1,
      cross_validation_calibration_error: scores.ece,
      cross_validation_coverage: coverage.coverage.value,
    },
    data: [...base.manifest.data, { name: dataName, licence: 'your own', use: `categories: ${scores.rows} examples` }],
  };
}

function modelCard({ name, version, base_encoder, outputs, scores }: Manifest): string {
  const share = (key: string) => (100 * (scores[key] ?? 0)).toFixed(1);
  return `# ${name} ${version}

A linear head for ${outputs.category.labels.length} categories on the embedding of ${base_encoder.name}, made by \`switchyard train\`. The encoder itself is the base model's, byte for byte.

Five-fold cross-validation on ${scores['cross_validation_rows'] ?? 0} examples: accuracy ${share('cross_validation_accuracy')} % (95 % interval ${share('cross_validation_accuracy_low')}–${share('cross_validation_accuracy_high')}), macro-F1 ${share('cross_validation_macro_f1')}, ECE ${(scores['cross_validation_calibration_error'] ?? 0).toFixed(3)}. All figures: report.json.

Categories: ${outputs.category.labels.join(', ')}.
`;
}
