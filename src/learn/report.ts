import type { Example } from './categories.ts';
import type { Learnt } from './learn.ts';
import { OTHER } from './categories.ts';
import type { Rate } from './measure.ts';

/** Two labels that are taken for each other. `lines` are those of the data file, the surest mistake first. */
export interface Confusion {
  readonly label: string;
  readonly predicted: string;
  readonly rows: number;
  readonly lines: readonly number[];
  /** The texts at those lines; only when the caller wants them kept. */
  readonly texts?: readonly string[];
}

const CONFUSIONS_SHOWN = 10;
const EXAMPLES_SHOWN = 3;
const TEXT_CHARS = 72;
/** Fewer categories are in the terminal's table as a whole; of more, the weakest. */
const LABELS_SHOWN = 30;

/** The commonest confusions. */
export function worstConfusions(
  { judged }: Pick<Learnt, 'judged'>,
  labels: readonly string[],
  examples: readonly Example[],
): readonly Confusion[] {
  const found = new Map<string, { row: number; confidence: number }[]>();
  for (const [row, { truth, predicted, confidence }] of judged.entries()) {
    if (truth === predicted) continue;
    const key = `${truth} ${predicted}`;
    const list = found.get(key) ?? [];
    list.push({ row, confidence });
    found.set(key, list);
  }
  return [...found.values()]
    .sort((one, two) => two.length - one.length || (one[0]?.row ?? 0) - (two[0]?.row ?? 0))
    .slice(0, CONFUSIONS_SHOWN)
    .map((list) => {
      const surest = [...list].sort((one, two) => two.confidence - one.confidence).slice(0, EXAMPLES_SHOWN);
      const first = judged[list[0]?.row ?? 0];
      return {
        label: labels[first?.truth ?? 0] ?? '',
        predicted: labels[first?.predicted ?? 0] ?? '',
        rows: list.length,
        lines: surest.map(({ row }) => examples[row]?.line ?? 0),
        texts: surest.map(({ row }) => examples[row]?.text ?? ''),
      };
    });
}

export interface ReportInput {
  readonly learnt: Learnt;
  readonly labels: readonly string[];
  readonly examples: readonly Example[];
  readonly warnings: readonly string[];
  readonly withTexts: boolean;
}

/** report.json: every figure, and no text of the data unless `withTexts`. */
export function reportJson({ learnt, labels, examples, warnings, withTexts }: ReportInput): object {
  const { scores, coverage, validation, temperature } = learnt;
  return {
    schema_version: 1,
    rows: scores.rows,
    folds: 5,
    near_duplicates: validation.nearDuplicates,
    chosen: { strength: validation.strength, blend: validation.blend, temperature },
    tried: validation.tried,
    accuracy: scores.accuracy,
    macro_f1: scores.macroF1,
    ece: scores.ece,
    coverage,
    labels: scores.labels,
    confusion: scores.confusion,
    worst_confusions: worstConfusions(learnt, labels, examples).map(({ texts, ...confusion }) =>
      withTexts ? { ...confusion, texts } : confusion,
    ),
    warnings,
  };
}

/** The same for a person at a terminal, who sees the data anyway: examples are shown, cut to a line. */
export function reportText({ learnt, labels, examples }: ReportInput): string {
  const { scores, coverage } = learnt;
  const weakest = [...scores.labels].sort((one, two) => one.f1 - two.f1).slice(0, LABELS_SHOWN);
  const width = Math.max(8, ...weakest.map(({ label }) => label.length));
  const lines = [
    `${scores.rows} examples, ${labels.length} categories; five-fold cross-validation, 95 % intervals`,
    '',
    `accuracy   ${percent(scores.accuracy)}`,
    `macro-F1   ${(100 * scores.macroF1).toFixed(1)}`,
    `ECE        ${scores.ece.toFixed(3)}`,
    `coverage   ${percent(coverage.coverage)} of the examples of a category get one, at the target precision of ${(100 * coverage.targetPrecision).toFixed(0)} %`,
    `precision  ${coverage.precision === null ? 'nothing was answered' : `${percent(coverage.precision)} of those answers are right`}`,
    coverage.otherKept === null
      ? `other      no examples of "${OTHER}": how it meets strangers is not measured`
      : `other      ${percent(coverage.otherKept)} of the examples of "${OTHER}" get no category`,
    '',
    `${'category'.padEnd(width)}  rows  precision  recall    F1  threshold${labels.length > LABELS_SHOWN ? '   (the weakest)' : ''}`,
    ...weakest.map(
      (one) =>
        `${one.label.padEnd(width)}  ${String(one.rows).padStart(4)}  ${share(one.precision).padStart(9)}  ${share(one.recall).padStart(6)}  ${share(one.f1).padStart(4)}  ${one.threshold.toFixed(3).padStart(9)}`,
    ),
  ];
  const confusions = worstConfusions(learnt, labels, examples);
  if (confusions.length > 0) lines.push('', 'worst confusions (labelled → predicted)');
  for (const { label, predicted, rows, lines: places, texts = [] } of confusions) {
    lines.push(`${label} → ${predicted}: ${rows}`);
    for (const [index, place] of places.entries()) lines.push(`    line ${place}: ${cut(texts[index] ?? '')}`);
  }
  return `${lines.join('\n')}\n`;
}

function percent({ value, low, high }: Rate): string {
  return `${(100 * value).toFixed(1)} % (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;
}

function share(value: number | null): string {
  return value === null ? '–' : (100 * value).toFixed(1);
}

/** One line for the terminal: control characters, which could move its cursor, become spaces. */
function cut(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length <= TEXT_CHARS ? line : `${line.slice(0, TEXT_CHARS - 1)}…`;
}
