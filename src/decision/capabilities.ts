import { isNearLimit } from '../signals/tokens.ts';
import type { ModelEntry } from '../config/registry.ts';
import { partKinds, type ChatRequest } from '../openai/request.ts';
import type { Rejection } from './decision.ts';

/** What a request can need of a model beyond text in, text out. */
export type Need = 'tools' | 'vision' | 'audio' | 'files' | 'json' | 'logprobs' | 'n';

/** Tokens that a request takes of a context window. */
export interface RequestSize {
  readonly inputTokens: number;
  /** The maximum that the request sets, else null. */
  readonly maxOutputTokens: number | null;
  /** Room that the answer gets in the window: the maximum, else the configured reserve. */
  readonly outputReserve: number;
}

/** Why a model can't serve the request, and what is taken on trust. */
export interface Fitness {
  readonly rejections: readonly Rejection[];
  readonly notes: readonly string[];
}

/** A `capabilities` list is complete for these; for the other needs, what is not listed is unknown. */
const COMPLETE: ReadonlySet<Need> = new Set(['tools', 'vision', 'json', 'audio']);

/** A window that is not configured is taken to hold this many tokens: no model that is served today holds fewer. */
const LEAST_WINDOW = 2048;

/** What the request needs, in a fixed order. `tool_choice: "none"` needs no tools. */
export function needsOf(request: ChatRequest): readonly Need[] {
  const parts = partKinds(request);
  const needs: readonly (readonly [Need, boolean])[] = [
    ['tools', request.toolCount > 0 && request.toolChoice !== 'none'],
    ['vision', parts.has('image')],
    ['audio', parts.has('audio')],
    ['files', parts.has('file')],
    ['json', request.responseFormat === 'json_object' || request.responseFormat === 'json_schema'],
    ['logprobs', request.logprobs],
    ['n', request.choices > 1],
  ];
  return needs.flatMap(([need, isNeeded]) => (isNeeded ? [need] : []));
}

/** Tells whether a model meets the needs and takes the tokens. `unknown` says what becomes of a need of which nothing is known. */
export function judgeFitness(
  model: ModelEntry,
  needs: readonly Need[],
  size: RequestSize,
  unknown: 'allow' | 'deny',
): Fitness {
  const rejections: Rejection[] = [];
  const notes: string[] = [];
  const reject = (reason: string, detail: string) => rejections.push({ stage: 'capability', reason, detail });
  const untold = (reason: string, detail: string) => {
    if (unknown === 'deny') reject(reason, detail);
    else notes.push(detail);
  };
  const { capabilities, context_window: window, max_output_tokens: maxOutput } = model.config;
  for (const need of needs) {
    if (capabilities?.includes(need) === true) continue;
    if (capabilities !== undefined && COMPLETE.has(need)) reject(`no_${need}`, `its capabilities lack ${need}`);
    else untold(`${need}_unknown`, `whether it can do ${need} is unknown`);
  }
  const total = size.inputTokens + size.outputReserve;
  if (window === undefined) {
    if (total > LEAST_WINDOW) untold('context_window_unknown', 'its context window is unknown');
  } else if (total > window) {
    reject('context_window', `${total} tokens do not fit its window of ${window}`);
  }
  if (maxOutput !== undefined && size.maxOutputTokens !== null && size.maxOutputTokens > maxOutput) {
    reject('max_output_tokens', `${size.maxOutputTokens} tokens of answer are asked for, it gives ${maxOutput}`);
  }
  return { rejections, notes };
}

/** Whether the tokens of a request should be counted exactly: its estimate is near the window of some model that it might go to. */
export function needsExactCount(models: Iterable<ModelEntry>, estimatedTokens: number): boolean {
  for (const { config } of models) {
    const window = config.context_window;
    if (window !== undefined && isNearLimit(estimatedTokens, window)) return true;
  }
  return false;
}
