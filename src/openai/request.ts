import type { ApiError } from '../errors.ts';

/**
 * What we understand of one request body. Values are decoded once; spans point into the raw bytes so that an edit can leave every other
 * byte as it came. Offsets are byte offsets, end exclusive.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type PartKind = 'text' | 'image' | 'audio' | 'file' | 'refusal' | 'other';

/** One part of a message's content. A plain string content is one text part. */
export interface ContentPart {
  readonly kind: PartKind;
  /** The decoded text of a text part; '' for every other kind. */
  readonly text: string;
  /** The text's JSON string literal in the body, quotes included; null for parts without text. */
  readonly textSpan: Span | null;
  /** The whole part object (or the string literal, for string content). */
  readonly span: Span;
}

export interface ChatMessage {
  readonly role: string;
  readonly contentKind: 'absent' | 'null' | 'string' | 'parts';
  readonly parts: readonly ContentPart[];
  /** The whole message object, braces included. */
  readonly span: Span;
  /** The value of `content` (the last one, where the key is duplicated); null when absent. */
  readonly contentSpan: Span | null;
  readonly toolCallCount: number;
}

/** A member of the top-level object: `"key": value`. */
export interface Member {
  readonly key: string;
  readonly keySpan: Span;
  readonly valueSpan: Span;
}

/** Reasoning fields that the caller set. */
export interface CallerReasoning {
  /** The top-level `reasoning_effort`, when it is a string. */
  readonly effort: string | null;
  /** Members of `chat_template_kwargs` (its last occurrence): value as parsed JSON, spans in the body. */
  readonly templateKwargs: readonly (Member & { readonly value: unknown })[] | null;
  /** The value span of `chat_template_kwargs`; null when absent or not an object. */
  readonly templateKwargsSpan: Span | null;
}

/** The caller's routing knobs, parsed JSON, not yet validated (decision/knobs does that). Undefined when absent. */
export interface RawRoutingFields {
  readonly routing: unknown;
  readonly provider: unknown;
  readonly models: unknown;
}

export interface ChatRequest {
  /** chat: /v1/chat/completions; completions: /v1/completions (prompt as one user message); other: any other path with a model. */
  readonly kind: 'chat' | 'completions' | 'embeddings' | 'other';
  readonly model: string;
  /** The value spans of every top-level `model` key, in order: a duplicate key is rewritten everywhere. */
  readonly modelSpans: readonly Span[];
  readonly messages: readonly ChatMessage[];
  /** The value of `messages` (the array, brackets included); null when there is none. */
  readonly messagesSpan: Span | null;
  readonly stream: boolean;
  readonly toolCount: number;
  /** `tool_choice` other than "none" demands tools. */
  readonly toolChoice: 'absent' | 'none' | 'auto' | 'required' | 'named';
  readonly responseFormat: 'text' | 'json_object' | 'json_schema' | null;
  readonly maxOutputTokens: number | null;
  readonly choices: number;
  readonly logprobs: boolean;
  readonly user: string | null;
  readonly promptCacheKey: string | null;
  readonly callerReasoning: CallerReasoning;
  readonly routingFields: RawRoutingFields;
  /** Every top-level member in order, duplicates included. */
  readonly members: readonly Member[];
  /** The top-level object, braces included. */
  readonly rootSpan: Span;
  readonly bodyBytes: number;
  /** Set for multipart/form-data: `modelSpans` are then bare text, there are no members, and nothing but the model can be edited. */
  readonly isMultipart?: true;
  /**
   * The first thing that is wrong with the body besides its syntax and its `model`: no messages, a wrong type. A request for an alias is
   * refused with it; for a concrete model the endpoint judges, and what could not be read is left out above.
   */
  readonly problem: ApiError | null;
}

/** Every kind of part that the messages have. One step a part: there may be tens of thousands, and it is asked for more than once. */
export function partKinds({ messages }: Pick<ChatRequest, 'messages'>): ReadonlySet<PartKind> {
  const kinds = new Set<PartKind>();
  for (const { parts } of messages) for (const { kind } of parts) kinds.add(kind);
  return kinds;
}
