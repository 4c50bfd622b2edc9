/** Header edits of a response: who really answered, and why. For 2xx responses only. */
import {
  SWITCHYARD_ATTEMPTS,
  SWITCHYARD_CASCADE,
  SWITCHYARD_CONFIDENCE,
  SWITCHYARD_DECISION,
  SWITCHYARD_LATENCY_MS,
  VSR_INJECTED_SYSTEM_PROMPT,
  VSR_SELECTED_CATEGORY,
  VSR_SELECTED_MODEL,
  VSR_SELECTED_REASONING,
} from './headers.ts';
import type { HeaderEdit } from './mutations.ts';

export interface ResponseEdits {
  /** The model that answered, after fallbacks; its configured name. */
  readonly model: string;
  /** '' below the threshold, and for a concrete model. */
  readonly category: string;
  /** What the endpoint was told. */
  readonly reasoning: boolean;
  readonly injectedSystemPrompt: boolean;
  readonly decision: string;
  /** p of the top category, 0..1; null: the header is left out. */
  readonly confidence: number | null;
  /** Attempts made, from 1. */
  readonly attempts: number;
  /** Time that routing took, in milliseconds. */
  readonly latencyMs: number;
  /** What a cascade's checks said; null: the header is left out. */
  readonly cascade?: string | null;
}

/** Confidence with 4 decimals, latency with 3. */
export function responseHeaderEdits(edits: ResponseEdits): HeaderEdit[] {
  const headers: HeaderEdit[] = [
    { name: VSR_SELECTED_MODEL, value: edits.model },
    { name: VSR_SELECTED_CATEGORY, value: edits.category },
    { name: VSR_SELECTED_REASONING, value: edits.reasoning ? 'on' : 'off' },
    { name: VSR_INJECTED_SYSTEM_PROMPT, value: String(edits.injectedSystemPrompt) },
    { name: SWITCHYARD_DECISION, value: edits.decision },
    { name: SWITCHYARD_ATTEMPTS, value: String(edits.attempts) },
    { name: SWITCHYARD_LATENCY_MS, value: edits.latencyMs.toFixed(3) },
  ];
  if (edits.confidence !== null) headers.push({ name: SWITCHYARD_CONFIDENCE, value: edits.confidence.toFixed(4) });
  if (edits.cascade != null) headers.push({ name: SWITCHYARD_CASCADE, value: edits.cascade });
  return headers;
}
