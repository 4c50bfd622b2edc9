/**
 * What each tier of classification takes, quality aside: the encoder through its worker (tokenisation and hop included, nothing from the memo),
 * the memo, and the table of tokens on this thread. `npx tsx bench/tiers.ts` writes bench/tiers.json, which docs/evaluation.md shows beside the
 * scores; `-- --quick` prints and writes nothing.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createEncoder, type RunningEncoder } from '../src/ml/encoder.ts';
import { modelFolder } from '../src/model-folder.ts';
import { quantile } from './load.ts';
import { promptTexts } from './prompts.ts';

const TOKENS = [16, 64, 128, 256];
const quick = process.argv.includes('--quick');
const COUNT = quick ? 40 : 400;
/** The first glances are compiled code in the making. */
const WARM_UP = 200;
const DEADLINE_MS = 10_000;

interface Timing {
  readonly tier: 'encoder' | 'memo' | 'static';
  readonly tokens: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const encoder = await createEncoder({ bundleDir: modelFolder('switchyard-minilm'), useCpu: true, workers: 1 });
try {
  for (const text of promptTexts(64, WARM_UP, 0)) encoder.glance?.(text);
  const rows: Timing[] = [];
  for (const tokens of TOKENS) rows.push(...(await measure(encoder, tokens)));
  const { name, version } = encoder.info().manifest;
  const result = {
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; Node ${process.version}`,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
    model: `${name} ${version}`,
    texts: COUNT,
    rows,
  };
  const json = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(json);
  if (!quick) writeFileSync('bench/tiers.json', json);
} finally {
  await encoder.close();
}

async function measure(reader: RunningEncoder, tokens: number): Promise<readonly Timing[]> {
  const texts = promptTexts(tokens, COUNT, tokens);
  const pass = async (text: string): Promise<void> => {
    const outcome = await reader.encode(text, { deadlineMs: DEADLINE_MS });
    if (outcome.kind === 'failed') throw new Error(outcome.reason);
  };
  const fresh = await timed(texts, pass);
  const known = await timed(texts, pass);
  const { glance } = reader;
  const glances = glance === undefined ? null : await timed(texts, (text) => void glance(text));
  return [
    timing('encoder', tokens, fresh),
    timing('memo', tokens, known),
    ...(glances === null ? [] : [timing('static', tokens, glances)]),
  ];
}

async function timed(
  texts: readonly string[],
  read: (text: string) => Promise<void> | void,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (const text of texts) {
    const start = performance.now();
    await read(text);
    times.push(performance.now() - start);
  }
  return times;
}

function timing(tier: Timing['tier'], tokens: number, times: readonly number[]): Timing {
  const rounded = (share: number): number => Math.round(quantile(times, share) * 1000) / 1000;
  return { tier, tokens, p50Ms: rounded(0.5), p99Ms: rounded(0.99) };
}
