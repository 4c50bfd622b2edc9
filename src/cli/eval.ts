import { Command, InvalidArgumentError } from 'commander';
import type { Registry } from '../config/registry.ts';
import {
  CHECKS,
  compare,
  lowestAccuracy,
  parseCheckRows,
  type Answer,
  type CheckReport,
  type CheckRow,
} from '../learn/checks.ts';
import type { Encoder } from '../signals/signals.ts';
import { lookUpModel } from '../model-look.ts';
import { readNamedFile, requireConfig } from './config-file.ts';
import { openEncoder } from './encoder.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { explain } from '../explain.ts';
import { configOption } from './options.ts';
import { progressOn } from './progress.ts';
import { writeRowProblems } from './row-problems.ts';

interface EvalOptions {
  readonly data: string;
  readonly config: string;
  readonly json: boolean;
  readonly minAccuracy?: number;
  readonly mismatches: number;
}

const DEFAULT_MISMATCHES = 20;

/** `switchyard eval`: what the router would decide for each row, against what is expected. */
export function evalCommand(): Command {
  return new Command('eval')
    .description('Routes each row of a file with a config, without sending it, and compares with what is expected.')
    .requiredOption(
      '--data <file>',
      'JSON Lines: {"text" or "request": …, "expect": {"category", "model", "reasoning" or "decision": …}}',
    )
    .addOption(configOption())
    .option('--min-accuracy <share>', 'exit 1 when a check is right less often than this', share)
    .option('--mismatches <count>', 'how many mismatches are listed', count, DEFAULT_MISMATCHES)
    .option('--json', 'print one JSON object, with all mismatches', false)
    .action(async (options: EvalOptions) => {
      const outcome = parseCheckRows(new TextDecoder().decode(await readNamedFile(options.data)));
      if (outcome.kind === 'bad') throw writeRowProblems(options.data, outcome.problems, 'nothing was checked');
      const registry = await requireConfig(options.config, lookUpModel);
      const encoder = await openEncoder(registry.config.classifier.category_model.model_id);
      try {
        for (const warning of strangers(outcome.rows, registry, encoder)) process.stderr.write(`warning: ${warning}\n`);
        const report = compare(outcome.rows, await answers(outcome.rows, registry, encoder));
        process.stdout.write(
          options.json ? `${JSON.stringify(report, null, 2)}\n` : asText(report, options.mismatches),
        );
        if (options.minAccuracy !== undefined && lowestAccuracy(report) < options.minAccuracy) {
          const lowest = (100 * lowestAccuracy(report)).toFixed(1);
          throw new CommandFailure(EXIT.failure, `A check is right for ${lowest} % of its rows only.`);
        }
      } finally {
        await encoder.close();
      }
    });
}

async function answers(rows: readonly CheckRow[], registry: Registry, encoder: Encoder): Promise<readonly Answer[]> {
  const progress = progressOn(process.stderr, () => performance.now());
  const found: Answer[] = [];
  for (const { request } of rows) {
    const body = new TextEncoder().encode(JSON.stringify(request));
    const { outcome } = await explain({ body, path: '/v1/chat/completions', headers: new Map() }, registry, encoder);
    found.push(
      outcome.kind === 'refused'
        ? { category: '', model: null, reasoning: false, decision: outcome.reasonCode }
        : {
            category: outcome.decision.category.name,
            model: outcome.decision.selectedModel,
            reasoning: outcome.decision.reasoning?.enabled ?? false,
            decision: outcome.decision.decision,
          },
    );
    progress.show('checking', found.length / rows.length);
  }
  progress.clear();
  return found;
}

/** Expected categories that can never come out: no label and no configured category has the name. */
function strangers(rows: readonly CheckRow[], registry: Registry, encoder: Encoder): readonly string[] {
  const known = new Set(['other', ...encoder.labels, ...registry.config.categories.map(({ name }) => name)].map(lower));
  const expected = new Set(rows.flatMap(({ expect }) => (expect.category === undefined ? [] : [expect.category])));
  return [...expected]
    .filter((category) => category !== '' && !known.has(lower(category)))
    .map((category) => `${JSON.stringify(category)} is no label of the classifier and no category of the config`);
}

function asText(report: CheckReport, listed: number): string {
  const lines = [`${report.rows} rows`, '', 'check      rows  right   95 % interval'];
  for (const check of CHECKS) {
    const found = report.accuracy[check];
    if (found === undefined) continue;
    lines.push(
      `${check.padEnd(9)} ${String(found.rows).padStart(5)} ${percent(found.value)}   ${(100 * found.low).toFixed(1)}–${(100 * found.high).toFixed(1)}`,
    );
  }
  lines.push(
    `all       ${String(report.rows).padStart(5)} ${percent(report.all.value)}   ${(100 * report.all.low).toFixed(1)}–${(100 * report.all.high).toFixed(1)}`,
  );
  if (report.categories.length > 0) {
    const width = Math.max(8, ...report.categories.map(({ category }) => category.length));
    lines.push('', `${'category'.padEnd(width)}  rows  right`);
    for (const { category, rows, right } of report.categories) {
      lines.push(`${category.padEnd(width)}  ${String(rows).padStart(4)} ${percent(right / rows)}`);
    }
  }
  const shown = report.mismatches.slice(0, listed);
  if (shown.length > 0) lines.push('', `mismatches (${shown.length} of ${report.mismatches.length})`);
  for (const { line, check, expected, got } of shown) lines.push(`line ${line}: ${check} ${expected} → ${got}`);
  return `${lines.join('\n')}\n`;
}

function percent(value: number): string {
  return (100 * value).toFixed(1).padStart(6);
}

function lower(name: string): string {
  return name.toLowerCase();
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('Write a share, like 0.9.');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError('Write a number, like 20.');
  }
  return value;
}
