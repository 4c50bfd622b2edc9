import { BUILT_IN_LABELS } from '../../../src/config/classifier.ts';
import { buildRegistry, type Registry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { EndpointState } from '../../../src/decision/served.ts';
import type { ChatRequest } from '../../../src/openai/request.ts';
import type { Shape } from '../../../src/signals/shape.ts';
import type { Encoding, Signals } from '../../../src/signals/signals.ts';

export const LABELS = BUILT_IN_LABELS;

/** The config as parsed from YAML, with its names looked up. */
export function registryOf(config: object): Registry {
  return buildRegistry(configSchema.parse(config));
}

/** Every endpoint at 10.0.0.n:port in the file's order. */
export function allUp(registry: Registry): EndpointState {
  const addresses = [...registry.endpoints.values()].map(
    (endpoint, index) => [endpoint.name, [`10.0.0.${index + 1}:${endpoint.port}`]] as const,
  );
  return { addresses: new Map(addresses) };
}

const NOWHERE = { start: 0, end: 0 };

export function requestOf(over: Partial<ChatRequest> & { readonly text?: string } = {}): ChatRequest {
  const { text = 'hello', ...rest } = over;
  return {
    kind: 'chat',
    model: 'auto',
    modelSpans: [NOWHERE],
    messages: [
      {
        role: 'user',
        contentKind: 'string',
        parts: [{ kind: 'text', text, textSpan: NOWHERE, span: NOWHERE }],
        span: NOWHERE,
        contentSpan: NOWHERE,
        toolCallCount: 0,
      },
    ],
    messagesSpan: NOWHERE,
    stream: false,
    toolCount: 0,
    toolChoice: 'absent',
    responseFormat: null,
    maxOutputTokens: null,
    choices: 1,
    logprobs: false,
    user: null,
    promptCacheKey: null,
    callerReasoning: { effort: null, templateKwargs: null, templateKwargsSpan: null },
    routingFields: { routing: undefined, provider: undefined, models: undefined },
    members: [],
    rootSpan: NOWHERE,
    bodyBytes: 100,
    problem: null,
    ...rest,
  };
}

const PLAIN_SHAPE: Shape = {
  inputTokens: 20,
  inputTokensExact: false,
  turns: 1,
  hasTools: false,
  hasImages: false,
  hasAudio: false,
  hasFiles: false,
  wantsJson: null,
  wantsLogprobs: false,
  choices: 1,
  maxOutputTokens: null,
  hasCode: false,
  language: 'en',
  stream: false,
};

/** Signals of a prompt whose category probabilities are the given ones and zero for every other label; `{}` means no encoding. */
export function signalsOf(
  probabilities: Readonly<Record<string, number>>,
  over: Partial<Omit<Signals, 'shape' | 'encoding'>> & {
    readonly shape?: Partial<Shape>;
    readonly encoding?: Partial<Encoding>;
  } = {},
): Signals {
  const { shape, encoding, ...rest } = over;
  const unread = Object.keys(probabilities).length === 0;
  return {
    encoding: unread
      ? null
      : {
          tier: 'encoder',
          categoryProbabilities: LABELS.map((label) => probabilities[label] ?? 0),
          difficulty: null,
          jailbreak: null,
          embedding: null,
          tokens: 12,
          truncated: false,
          memoised: false,
          ...encoding,
        },
    degraded: unread ? 'deadline' : null,
    labels: LABELS,
    pii: [],
    shape: { ...PLAIN_SHAPE, ...shape },
    ...rest,
  };
}

/** Numbers in [0, 1) that repeat the given ones. */
export function fixedRandom(...values: readonly number[]): () => number {
  let next = 0;
  return () => values[next++ % values.length] ?? 0;
}
