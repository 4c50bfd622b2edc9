import { Command } from 'commander';
import { entropyBits, entropyLevel, normalizedEntropy, ranking } from '../decision/entropy.ts';
import { parseRequest } from '../openai/parse.ts';
import { collectSignals } from '../signals/collect.ts';
import type { Encoder, Signals } from '../signals/signals.ts';
import { openEncoder } from './encoder.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { readStdin } from './input.ts';

interface ClassifyOptions {
  readonly json: boolean;
  readonly model: string;
}

/** A person waits, not a request: loading the model's pages for the first time may take a while. */
const DEADLINE_MS = 30_000;
/** The default bands of `reasoning_decision`, since this command reads no config. */
const BANDS = { very_high: 0.8, high: 0.6, medium: 0.4, low: 0.2 };

/** `switchyard classify`: the signals of one text, without a config. */
export function classifyCommand(): Command {
  return new Command('classify')
    .description(
      'Prints what the classifier says about a text: category, entropy, difficulty and what else can be seen of it.',
    )
    .argument('[text...]', 'the text; several words count as one text; standard input when there is none')
    .option('--json', 'print one JSON object', false)
    .option('--model <folder>', 'a folder under models/', 'switchyard-minilm')
    .action(async (words: readonly string[], options: ClassifyOptions) => {
      const text = words.length > 0 ? words.join(' ') : new TextDecoder().decode(await readStdin());
      if (text.trim() === '') throw new CommandFailure(EXIT.usage, 'There is no text to classify.');
      const encoder = await openEncoder(options.model);
      try {
        const report = await reportOn(text, encoder);
        process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : asText(report));
      } finally {
        await encoder.close();
      }
    });
}

/** What the command prints. Holds no part of the text. */
export interface TextReport {
  readonly category: string;
  readonly confidence: number;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly entropy: { readonly value: number; readonly normalized: number; readonly level: string };
  readonly difficulty: Readonly<Record<string, number>> | null;
  readonly jailbreak: number | null;
  readonly pii: Signals['pii'];
  readonly shape: Signals['shape'];
  readonly tokens: number;
  readonly truncated: boolean;
  readonly processing_time_ms: number;
}

/** Reads a text as the request path would read a chat request with this one message. */
export async function reportOn(text: string, encoder: Encoder): Promise<TextReport> {
  const body = Buffer.from(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: text }] }));
  const parsed = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 16 });
  if (parsed.kind === 'invalid') throw new CommandFailure(EXIT.failure, parsed.error.message);
  const clock = () => performance.now();
  const start = clock();
  const signal = new AbortController().signal;
  const signals = await collectSignals({
    request: parsed.request,
    encoder,
    deadlineMs: DEADLINE_MS,
    signal,
    clock,
    needs: { encoder: true, pii: true },
    pause: () => Promise.resolve(),
  });
  const { encoding, labels } = signals;
  if (encoding?.tier !== 'encoder') {
    throw new CommandFailure(EXIT.failure, `The classifier gave no answer: ${signals.degraded ?? 'unknown'}.`);
  }
  const probabilities = encoding.categoryProbabilities;
  const top = ranking(probabilities)[0] ?? 0;
  const normalized = normalizedEntropy(probabilities);
  return {
    category: labels[top] ?? '',
    confidence: probabilities[top] ?? 0,
    probabilities: named(labels, probabilities),
    entropy: { value: entropyBits(probabilities), normalized, level: entropyLevel(normalized, BANDS) },
    difficulty: encoding.difficulty === null ? null : named(encoder.difficultyLabels, encoding.difficulty),
    jailbreak: encoding.jailbreak,
    pii: signals.pii,
    shape: signals.shape,
    tokens: encoding.tokens,
    truncated: encoding.truncated,
    processing_time_ms: Math.round((clock() - start) * 1000) / 1000,
  };
}

function named(labels: readonly string[], values: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? 0]));
}

function asText(report: TextReport): string {
  const { entropy } = report;
  const ranked = Object.entries(report.probabilities).sort(([, one], [, two]) => two - one);
  const lines = [
    `category    ${report.category} (${report.confidence.toFixed(4)})`,
    `            ${ranked
      .slice(1, 3)
      .map(([label, p]) => `${label} ${p.toFixed(4)}`)
      .join(', ')}`,
    `entropy     ${entropy.value.toFixed(3)} bits, normalised ${entropy.normalized.toFixed(3)}, ${entropy.level}`,
  ];
  if (report.difficulty !== null) {
    const tiers = Object.entries(report.difficulty).map(([tier, p]) => `${tier} ${p.toFixed(3)}`);
    lines.push(`difficulty  ${tiers.join(', ')}`);
  }
  if (report.jailbreak !== null) lines.push(`jailbreak   ${report.jailbreak.toFixed(4)}`);
  if (report.pii.length > 0) lines.push(`pii         ${[...new Set(report.pii.map(({ kind }) => kind))].join(', ')}`);
  lines.push(`language    ${report.shape.language ?? 'unknown'}`);
  lines.push(`tokens      ${report.tokens}${report.truncated ? ' (the middle of the text was left out)' : ''}`);
  lines.push(`time        ${report.processing_time_ms.toFixed(1)} ms`);
  return `${lines.join('\n')}\n`;
}
