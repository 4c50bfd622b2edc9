/** Whether a cheap model's answer will do. Pure; the text of the answer goes nowhere but through here. */
import type { CascadeCheck } from '../config/schema-cascade.ts';
import { readUsage, type AnswerUsage } from '../openai/response.ts';
import { isRecord } from '../record.ts';
import { validate } from './json-schema.ts';
import { isRefusal } from './refusal.ts';

/** The form that the request asked for. `json`: any JSON, where the request's schema can't be used. */
export type WantedFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'json_object' }
  | { readonly kind: 'json_schema'; readonly schema: unknown };

export interface Wanted {
  /** In the order in which they are asked: the first that fails is the cause. */
  readonly checks: readonly CascadeCheck[];
  /** Least mean log-probability of an answer's tokens; null: none. */
  readonly minMeanLogprob: number | null;
  readonly format: WantedFormat;
}

/** unreadable: no chat or text completion, so nothing can be said against it. */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly check: CascadeCheck }
  | { readonly kind: 'unreadable' };

export interface Checked {
  readonly verdict: Verdict;
  /** Null where the answer does not say what it used. */
  readonly usage: AnswerUsage | null;
}

/**
 * Checks a whole answer (not a stream) of chat or text completions. One with several choices fails when each of them does, for the first one's
 * cause: the client can still take a good one. Never throws; takes a few milliseconds for a megabyte.
 */
export function checkAnswer(body: Uint8Array, wanted: Wanted): Checked {
  const root = parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  if (!isRecord(root) || !Array.isArray(root['choices'])) return { verdict: { kind: 'unreadable' }, usage: null };
  const usage = readUsage(root['usage']);
  const causes = root['choices'].map((choice: unknown) => failedCheck(isRecord(choice) ? choice : {}, wanted));
  if (causes.includes(null)) return { verdict: { kind: 'passed' }, usage };
  const [first] = causes;
  const check = first ?? 'empty';
  return { verdict: wanted.checks.includes(check) ? { kind: 'failed', check } : { kind: 'passed' }, usage };
}

type Members = Readonly<Record<string, unknown>>;

/** The first check that a choice fails; null when it passes all that are wanted. */
function failedCheck(choice: Members, wanted: Wanted): CascadeCheck | null {
  const message = isRecord(choice['message']) ? choice['message'] : {};
  const text = textOf(choice, message);
  const said = withoutThoughts(text).trim();
  const fails: Readonly<Record<CascadeCheck, () => boolean>> = {
    refusal: () => isDeclined(choice, message, said),
    truncated: () => choice['finish_reason'] === 'length' && !isWholeJson(text, wanted.format),
    empty: () => said === '' && !hasOtherContent(message),
    invalid_json: () => !hasCalls(message) && said !== '' && !hasFormat(text, wanted.format),
    low_confidence: () => isUnsure(choice, wanted.minMeanLogprob),
  };
  return wanted.checks.find((check) => fails[check]()) ?? null;
}

function textOf(choice: Members, message: Members): string {
  const content = message['content'] ?? choice['text'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

/** Without the reasoning that some models write before their answer, in the tags that open models use. */
function withoutThoughts(text: string): string {
  if (!/^\s*<think(?:ing)?>/.test(text)) return text;
  const end = /<\/think(?:ing)?>/.exec(text);
  return end === null ? '' : text.slice(end.index + end[0].length);
}

function isDeclined(choice: Members, message: Members, said: string): boolean {
  if (choice['finish_reason'] === 'content_filter') return true;
  if (typeof message['refusal'] === 'string' && message['refusal'] !== '') return true;
  return !hasCalls(message) && isRefusal(said);
}

function hasCalls(message: Members): boolean {
  const calls = message['tool_calls'];
  return (Array.isArray(calls) && calls.length > 0) || isRecord(message['function_call']);
}

function hasOtherContent(message: Members): boolean {
  return hasCalls(message) || isRecord(message['audio']) || (message['refusal'] ?? '') !== '';
}

/** A limit that fell on the very end of the JSON cut nothing off. */
function isWholeJson(text: string, format: WantedFormat): boolean {
  return format.kind !== 'text' && hasFormat(text, format);
}

/** As the client's parser will see it: a code fence around the JSON is not JSON. */
function hasFormat(text: string, format: WantedFormat): boolean {
  if (format.kind === 'text') return true;
  const value = parse(text);
  if (value === undefined) return false;
  switch (format.kind) {
    case 'json':
      return true;
    case 'json_object':
      return isRecord(value);
    case 'json_schema':
      return validate(format.schema, value) !== 'invalid';
  }
}

/** Log-probabilities as chat completions have them (content[].logprob), or text completions (token_logprobs). */
function isUnsure(choice: Members, least: number | null): boolean {
  if (least === null || !isRecord(choice['logprobs'])) return false;
  const { content, token_logprobs: tokens } = choice['logprobs'];
  const listed: readonly unknown[] = Array.isArray(content)
    ? content.map((token: unknown) => (isRecord(token) ? token['logprob'] : null))
    : Array.isArray(tokens)
      ? tokens
      : [];
  const values = listed.filter((value) => typeof value === 'number');
  return values.length > 0 && values.reduce((sum, value) => sum + value, 0) / values.length < least;
}

/** Undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
