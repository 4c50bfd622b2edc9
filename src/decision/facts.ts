import { NAMED_PII_KINDS, UNSEARCHED_TEXT } from '../config/pii-kinds.ts';
import type { Registry } from '../config/registry.ts';
import type { CategoryConfig } from '../config/schema.ts';
import { partKinds, type ChatRequest } from '../openai/request.ts';
import type { Signals } from '../signals/signals.ts';
import { needsOf, type RequestSize } from './capabilities.ts';
import { categoryOf } from './category.ts';
import type { CategoryView, SignalsView } from './decision.ts';
import type { EstimateContext } from './estimate.ts';
import type { Facts, Modality } from './rules/conditions.ts';
import type { ScoreTable } from './score-table.ts';

/** Characters of text that make about one token, where nobody counted. */
const CHARACTERS_PER_TOKEN = 4;

/** What the request is, in numbers, from the signals or, where nobody read it, from the request itself. */
export interface RequestFacts {
  readonly inputTokens: number;
  readonly inputTokensExact: boolean;
  readonly turns: number;
  /** 1 minus the mean probability of a right answer over the tiers; null when not predicted. */
  readonly difficulty: number | null;
  readonly jailbreak: number | null;
  readonly size: RequestSize;
}

export function factsOf(request: ChatRequest, signals: Signals | null, registry: Registry): RequestFacts {
  const shape = signals?.shape ?? null;
  const inputTokens = shape?.inputTokens ?? Math.ceil(textLength(request) / CHARACTERS_PER_TOKEN);
  return {
    inputTokens,
    inputTokensExact: shape?.inputTokensExact ?? false,
    turns: shape?.turns ?? request.messages.filter(({ role }) => role === 'user').length,
    difficulty: difficultyOf(signals),
    jailbreak: signals?.encoding?.jailbreak ?? null,
    size: {
      inputTokens,
      maxOutputTokens: request.maxOutputTokens,
      outputReserve: request.maxOutputTokens ?? registry.config.estimates.output_reserve_tokens,
    },
  };
}

function difficultyOf(signals: Signals | null): number | null {
  const tiers = signals?.encoding?.difficulty ?? null;
  if (tiers === null || tiers.length === 0) return null;
  return 1 - tiers.reduce((sum, p) => sum + p, 0) / tiers.length;
}

function textLength(request: ChatRequest): number {
  return request.messages.reduce(
    (sum, message) => sum + message.parts.reduce((inner, part) => inner + part.text.length, 0),
    0,
  );
}

/** What the rules are asked of, their searches aside. */
export function ruleFacts(
  request: ChatRequest,
  signals: Signals | null,
  facts: RequestFacts,
  view: CategoryView,
  known: {
    readonly tenant: string | null;
    readonly piiKinds: readonly string[] | null;
    readonly headers: ReadonlyMap<string, string>;
    readonly nowMs: number | null;
  },
): Omit<Facts, 'keywords' | 'patterns'> {
  const needs = needsOf(request);
  return {
    categories: view.name === '' ? [] : [...new Set([view.name, view.top ?? view.name])],
    confidence: view.confidence,
    entropy: view.entropyNormalized,
    difficulty: facts.difficulty,
    jailbreak: facts.jailbreak,
    piiKinds: possibleKinds(known.piiKinds ?? []),
    language: signals?.shape.language ?? null,
    tokens: facts.inputTokens,
    turns: facts.turns,
    modalities: modalitiesOf(request),
    tools: needs.includes('tools'),
    json: needs.includes('json'),
    code: signals?.shape.hasCode ?? false,
    stream: request.stream,
    tenant: known.tenant,
    model: request.model,
    headers: known.headers,
    nowMs: known.nowMs,
  };
}

/** Text that nobody searched may hold any kind: a rule that guards against one applies to it. */
function possibleKinds(found: readonly string[]): readonly string[] {
  return found.includes(UNSEARCHED_TEXT) ? NAMED_PII_KINDS : found;
}

function modalitiesOf(request: ChatRequest): readonly Modality[] {
  const kinds = partKinds(request);
  const found = (['image', 'audio', 'file'] as const).filter((kind) => kinds.has(kind));
  return found.length === 0 ? ['text'] : found;
}

/** What the estimates of all models start from. */
export function estimateContext(
  registry: Registry,
  scores: ScoreTable,
  signals: Signals | null,
  request: ChatRequest,
  facts: RequestFacts,
  found: { readonly category: CategoryConfig | null; readonly name: string },
): EstimateContext {
  const { category } = found;
  const probabilities = signals?.encoding?.categoryProbabilities ?? [];
  const mixture = probabilities.flatMap((probability, index) => {
    const possible = probability > 0 ? categoryOf(registry, signals?.labels[index] ?? '') : null;
    return possible === null ? [] : [[possible, probability] as const];
  });
  return {
    settings: registry.config.estimates,
    scores,
    category,
    categoryName: found.name,
    mixture: category === null ? mixture : [],
    difficulty: facts.difficulty,
    inputTokens: facts.inputTokens,
    maxOutputTokens: request.maxOutputTokens,
    choices: request.choices,
  };
}

/** The request as the explanation shows it. */
export function signalsView(
  request: ChatRequest,
  signals: Signals | null,
  facts: RequestFacts,
  piiKinds: readonly string[] | null,
  output: { readonly value: number; readonly source: string },
): SignalsView {
  return {
    inputTokens: facts.inputTokens,
    inputTokensExact: facts.inputTokensExact,
    outputTokens: output.value,
    outputTokensSource: output.source,
    needs: needsOf(request),
    difficulty: facts.difficulty,
    jailbreak: facts.jailbreak,
    piiKinds: piiKinds ?? [],
    language: signals?.shape.language ?? null,
    turns: facts.turns,
  };
}
