/**
 * What deciding costs, the encoder left out: signals (shape, language, personal data) + decision + plan for one request, on one thread.
 * `npx tsx bench/decision.ts` prints a table; every row is the median and the 99th percentile over distinct prompts.
 */
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { buildRegistry, type Registry } from '../src/config/registry.ts';
import { configSchema } from '../src/config/schema.ts';
import { decide } from '../src/decision/decide.ts';
import { parseRequest } from '../src/openai/parse.ts';
import type { ChatRequest } from '../src/openai/request.ts';
import { collectSignals } from '../src/signals/collect.ts';
import type { Encoder } from '../src/signals/signals.ts';
import { quantile } from './load.ts';
import { seeded } from './prompts.ts';

const LABELS = ['biology', 'business', 'computer science', 'health', 'law', 'math', 'other', 'physics'];
const WORDS =
  'please write a short function that parses the invoice of last month and explain how it works to my team'.split(' ');

export interface DecisionCost {
  readonly models: number;
  readonly rules: number;
  readonly promptBytes: number;
  /** Milliseconds, signals included. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Milliseconds of `decide` alone. */
  readonly decideMedianMs: number;
  readonly decideP99Ms: number;
}

/** A config in which nothing is left out: prices, limits, scores in every category, rules of every kind that all look and none match. */
function registryOf(models: number, rules: number): Registry {
  const names = Array.from({ length: models }, (_, index) => `model-${index}`);
  return buildRegistry(
    configSchema.parse({
      vllm_endpoints: Array.from({ length: Math.min(10, models) }, (_, index) => ({
        name: `endpoint-${index}`,
        address: `10.0.0.${index}`,
        port: 8000,
        region: index % 2 === 0 ? 'eu-west' : 'us-east',
        models: names.filter((_name, model) => model % 10 === index),
      })),
      model_config: Object.fromEntries(
        names.map((name, index) => [
          name,
          {
            pricing: { prompt_per_1m: 0.1 + index, completion_per_1m: 0.3 + index },
            capabilities: ['tools', 'json'],
            context_window: 2_000_000,
            latency: { ttft_ms: 50 + index, tokens_per_s: 100 },
            pii_policy: { allow_by_default: index % 3 !== 0 },
          },
        ]),
      ),
      categories: LABELS.map((name) => ({
        name,
        model_scores: names.map((model, index) => ({ model, score: ((index * 37) % 100) / 100 })),
      })),
      objective: { kind: 'balanced', quality_floor: 0.3, max_cost_usd: 1 },
      rules: Array.from({ length: rules }, (_, index) => ({
        name: `rule-${index}`,
        when: [
          { keywords: [`needle${index}`, `another phrase ${index}`] },
          { regex: `(?i)\\bTICKET-${index}\\d{3,}` },
          { category: 'law', confidence: { min: 0.5 } },
          { all: [{ tokens: { min: 1e6 } }, { any: [{ language: 'de' }, { tools: true }] }] },
        ][index % 4],
        then: { model: 'model-0' },
      })),
    }),
  );
}

function requestOf(bytes: number, random: () => number): ChatRequest {
  let text = '';
  while (text.length < bytes) text += `${WORDS[Math.floor(random() * WORDS.length)] ?? ''} `;
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: text.slice(0, bytes) }] });
  const parsed = parseRequest(Buffer.from(body), { path: '/v1/chat/completions', maxDepth: 100 });
  if (parsed.kind !== 'request') throw new Error(parsed.error.message);
  return parsed.request;
}

/** Answers at once: its own time is not what is measured. */
const ENCODER: Encoder = {
  labels: LABELS,
  difficultyLabels: ['small', 'large'],
  encode: () =>
    Promise.resolve({
      kind: 'encoded',
      encoding: {
        tier: 'encoder',
        categoryProbabilities: LABELS.map((label) => (label === 'math' ? 0.93 : 0.01)),
        difficulty: [0.5, 0.8],
        jailbreak: 0.01,
        embedding: null,
        tokens: 100,
        truncated: false,
        memoised: false,
      },
    }),
};

/** Times `rounds` requests after a tenth as many to warm up. */
export async function measureDecision(
  models: number,
  rules: number,
  promptBytes: number,
  rounds: number,
): Promise<DecisionCost> {
  const registry = registryOf(models, rules);
  const random = seeded(7);
  const endpoints = {
    addresses: new Map([...registry.endpoints.values()].map(({ name, address }) => [name, [`${address}:8000`]])),
  };
  const headers = new Map([['x-session-id', 'bench']]);
  const whole: number[] = [];
  const deciding: number[] = [];
  for (let round = -Math.ceil(rounds / 10); round < rounds; round += 1) {
    const request = requestOf(promptBytes, random);
    const started = performance.now();
    const signals = await collectSignals({
      request,
      encoder: ENCODER,
      deadlineMs: 1000,
      signal: new AbortController().signal,
      clock: () => performance.now(),
      needs: { encoder: true, pii: true },
      pause: () => setImmediate(),
    });
    const collected = performance.now();
    const outcome = decide({ request, registry, signals, endpoints, random, headers, nowMs: 0 });
    const ended = performance.now();
    if (outcome.kind !== 'decided') throw new Error(outcome.reasonCode);
    if (round < 0) continue;
    whole.push(ended - started);
    deciding.push(ended - collected);
  }
  return {
    models,
    rules,
    promptBytes,
    medianMs: quantile(whole, 0.5),
    p99Ms: quantile(whole, 0.99),
    decideMedianMs: quantile(deciding, 0.5),
    decideP99Ms: quantile(deciding, 0.99),
  };
}

const KIB = 1024;
const CASES: readonly (readonly [models: number, rules: number, bytes: number, rounds: number])[] = [
  [50, 100, 2 * KIB, 2000],
  [1, 0, 2 * KIB, 2000],
  [10, 100, 2 * KIB, 2000],
  [100, 100, 2 * KIB, 2000],
  [200, 100, 2 * KIB, 1000],
  [50, 0, 2 * KIB, 2000],
  [50, 1000, 2 * KIB, 1000],
  [50, 100, 128, 2000],
  [50, 100, 32 * KIB, 500],
  [50, 100, 1024 * KIB, 30],
];

/** Markdown rows: models, rules, prompt, then median and p99 of the whole and of `decide` alone, in milliseconds. */
export async function decisionTable(): Promise<string> {
  const lines = [
    '| models | rules | prompt | signals + decision p50 | p99 | decision alone p50 | p99 |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const [models, rules, bytes, rounds] of CASES) {
    const cost = await measureDecision(models, rules, bytes, rounds);
    const times = [cost.medianMs, cost.p99Ms, cost.decideMedianMs, cost.decideP99Ms].map((ms) => `${ms.toFixed(3)} ms`);
    const prompt = bytes < KIB ? `${bytes} B` : `${bytes / KIB} KiB`;
    lines.push(`| ${models} | ${rules} | ${prompt} | ${times.join(' | ')} |`);
  }
  return lines.join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${await decisionTable()}\n`);
}
