import { load as parseYaml } from 'js-yaml';
import { load } from '../../../src/config/load.ts';
import type { Registry } from '../../../src/config/registry.ts';
import type { DecisionInput } from '../../../src/decision/decide.ts';
import type { Observations } from '../../../src/decision/observations.ts';
import { parseRequest } from '../../../src/openai/parse.ts';
import { type Outcomes, tableOf } from '../../../src/outcomes/table.ts';
import type { ChatRequest } from '../../../src/openai/request.ts';
import { shapeOf } from '../../../src/signals/shape.ts';
import type { ClassifierTier, DegradedReason, Signals } from '../../../src/signals/signals.ts';
import { allUp, fixedRandom, LABELS } from './fixture.ts';

/** The upper half of a golden file. Everything but the config has a default: an unremarkable prompt of 100 tokens about maths. */
interface GoldenInput {
  readonly config: object;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly now?: string;
  readonly random?: number;
  readonly fallbacks?: number;
  readonly signals?: {
    readonly category?: Readonly<Record<string, number>>;
    readonly tokens?: number;
    readonly difficulty?: readonly number[];
    readonly jailbreak?: number;
    readonly pii?: readonly string[];
    readonly language?: string;
    readonly degraded?: DegradedReason;
    /** static: the encoder failed, and the table of tokens stood in for it. */
    readonly tier?: ClassifierTier;
  };
  /** Grades by model and category: how many answers had which score. */
  readonly grades?: Readonly<
    Record<string, Readonly<Record<string, { readonly answers: number; readonly score: number }>>>
  >;
  readonly unhealthy?: readonly string[];
  readonly unresolved?: readonly string[];
  readonly seen?: Readonly<
    Record<string, { ttft_ms?: number; tokens_per_s?: number; answers: number; tokens?: Record<string, number> }>
  >;
}

/** Reads the upper half of a golden file. Throws for a config with problems: a case must not pass for the wrong reason. */
export function readCase(text: string): DecisionInput {
  const given = parseYaml(text) as GoldenInput;
  const loaded = load(JSON.stringify(given.config), 'config', {});
  if (loaded.kind !== 'loaded') {
    throw new Error(loaded.problems.map(({ code, path, message }) => `${code} ${path}: ${message}`).join('\n'));
  }
  const { registry } = loaded;
  const request = requestOf(given);
  const addresses = new Map(allUp(registry).addresses);
  for (const name of given.unresolved ?? []) addresses.delete(name);
  return {
    request,
    registry,
    signals: signalsOf(given, request, registry),
    endpoints: { addresses, unhealthy: new Set(given.unhealthy ?? []) },
    random: fixedRandom(given.random ?? 0),
    headers: new Map(Object.entries(given.headers ?? {})),
    ...(given.now === undefined ? {} : { nowMs: Date.parse(given.now) }),
    observations: observationsOf(given),
    outcomes: outcomesOf(given),
    maxFallbackModels: given.fallbacks ?? 0,
  };
}

function requestOf(given: GoldenInput): ChatRequest {
  const body = { model: 'auto', messages: [{ role: 'user', content: 'hello' }], ...given.request };
  const parsed = parseRequest(Buffer.from(JSON.stringify(body)), {
    path: given.path ?? '/v1/chat/completions',
    maxDepth: 100,
  });
  if (parsed.kind === 'invalid') throw new Error(parsed.error.message);
  return parsed.request;
}

function signalsOf(given: GoldenInput, request: ChatRequest, registry: Registry): Signals {
  const {
    category = { math: 1 },
    tokens = 100,
    difficulty,
    jailbreak,
    pii = [],
    language = 'en',
    degraded,
    tier,
  } = given.signals ?? {};
  const shape = shapeOf(request, '', language);
  const isRead = degraded === undefined && !registry.models.has(request.model);
  return {
    encoding:
      isRead || jailbreak !== undefined || tier !== undefined
        ? {
            tier: tier ?? 'encoder',
            categoryProbabilities: LABELS.map((label) => category[label] ?? 0),
            difficulty: difficulty ?? null,
            jailbreak: jailbreak ?? null,
            embedding: null,
            tokens: 12,
            truncated: false,
            memoised: false,
          }
        : null,
    degraded: degraded ?? null,
    labels: LABELS,
    pii: pii.map((kind, index) => ({ kind, start: index, end: index + 1, confidence: 1 })) as Signals['pii'],
    shape: { ...shape, inputTokens: tokens, inputTokensExact: true },
  };
}

function observationsOf(given: GoldenInput): Observations {
  return new Map(
    Object.entries(given.seen ?? {}).map(([model, { ttft_ms, tokens_per_s, answers, tokens = {} }]) => [
      model,
      {
        ttftMs: ttft_ms ?? null,
        tokensPerS: tokens_per_s ?? null,
        latencySamples: answers,
        outputTokens: new Map(Object.entries(tokens).map(([category, mean]) => [category, { mean, samples: answers }])),
      },
    ]),
  );
}

function outcomesOf(given: GoldenInput): Outcomes {
  const outcomes = Object.entries(given.grades ?? {}).flatMap(([model, row]) =>
    Object.entries(row).flatMap(([category, { answers, score }]) =>
      Array.from({ length: answers }, () => ({ model, category, score })),
    ),
  );
  return tableOf(outcomes).table;
}
