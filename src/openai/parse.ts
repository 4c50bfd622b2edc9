/** From the bytes of a body to a ChatRequest, or to the 400 that the client gets. */
import type { ApiError } from '../errors.ts';
import { keyOf, members, spanOf, textOf, typeProblem, type Document } from './document.ts';
import { readFields, type TopLevel } from './fields.ts';
import { JsonScanner, type ScanFailure } from './json/scanner.ts';
import { OBJECT } from './json/tape.ts';
import { bufferOver, checkUtf8, decodeLiteral } from './json/text.ts';
import { readMessages, readPrompt, type MessagesRead } from './messages.ts';
import { findMultipartModel, multipartBoundary, type MultipartOutcome } from './multipart.ts';
import { atOnce, createPace, inTurns, SLICE_BYTES, type Pace, type Steps } from './pace.ts';
import { kindOfPath } from './paths.ts';
import {
  invalidJson,
  invalidMultipart,
  invalidUtf8,
  invalidValue,
  missingModel,
  tooLong,
  tooManyItems,
  unsupportedEncoding,
} from './reply.ts';
import type { ChatRequest, Member, Span } from './request.ts';

export interface ParseOptions {
  /** The request's `:path`; a query is ignored. */
  readonly path: string;
  /** The request's content type; only multipart/form-data makes a difference. Default: JSON. */
  readonly contentType?: string;
  /** The request's content encoding. It is only looked at where the body can't be read: nothing is decompressed here. Default: none. */
  readonly contentEncoding?: string | undefined;
  /** Deepest nesting allowed (limits.json_depth). */
  readonly maxDepth: number;
  /** `fields`: leave the messages unread; enough to rewrite the model and the reasoning fields. Default `all`. */
  readonly read?: 'all' | 'fields';
}

export type ParseOutcome =
  { readonly kind: 'request'; readonly request: ChatRequest } | { readonly kind: 'invalid'; readonly error: ApiError };

/**
 * Recorded values below the top level, names of members included: a message of a role and a text is 5, so this is some 26,000 messages. Beyond
 * it the request has a `problem`: an alias is refused, a concrete model's body passes.
 */
export const MAX_VALUES = 131_072;
const VALUES_ALLOWED = `at most ${MAX_VALUES} names and values, of which a message of a role and a text is 5 (some ${Math.floor(MAX_VALUES / 5000)},000 messages); for a model by its name there is no such limit`;
/** Top-level members; OpenAI's and vLLM's fields together are fewer than 150. */
const MAX_MEMBERS = 4096;
/** Longest model name, as JSON. */
const MAX_MODEL_BYTES = 4096;
const MAX_KEY_BYTES = 256;

/** How deep routing reads below a top-level member: `messages` down to the members of a content part. */
const RECORD_DEPTHS: ReadonlyMap<string, number> = new Map([
  ['messages', 5],
  ['prompt', 2],
  ['chat_template_kwargs', 2],
  ['tools', 2],
  ['functions', 2],
  ['response_format', 2],
]);

/** Parses at one go. For tests, tools and small bodies. */
export function parseRequest(body: Uint8Array, options: ParseOptions): ParseOutcome {
  return atOnce(parseSteps(body, options));
}

/**
 * Parses in steps of a few milliseconds at most and awaits `pause` between them (`setImmediate` of node:timers/promises): a 32 MiB body
 * does not block the event loop. Bodies of less than SLICE_BYTES never pause.
 */
export function parseRequestAsync(
  body: Uint8Array,
  options: ParseOptions,
  pause: () => Promise<unknown>,
): Promise<ParseOutcome> {
  return inTurns(parseSteps(body, options), pause);
}

/** The parse as a sequence of steps: it yields where a turn of the event loop is due and returns the outcome. */
export function* parseSteps(body: Uint8Array, options: ParseOptions): Steps<ParseOutcome> {
  if (body.length === 0) return invalid(invalidJson('it is empty'));
  const outcome = yield* parseBody(body, options);
  const isUnreadable = outcome.kind === 'invalid' && UNREADABLE.has(outcome.error.code);
  return isUnreadable && isEncoded(options.contentEncoding) ? invalid(unsupportedEncoding()) : outcome;
}

/** Codes of a body that was not understood at all. */
const UNREADABLE: ReadonlySet<string> = new Set([invalidUtf8().code, invalidJson('').code, invalidMultipart().code]);

/** Whether a Content-Encoding names any coding but identity. */
function isEncoded(contentEncoding: string | undefined): boolean {
  return (contentEncoding ?? '').split(',').some((coding) => !/^\s*(?:identity\s*)?$/i.test(coding));
}

function* parseBody(body: Uint8Array, options: ParseOptions): Steps<ParseOutcome> {
  const boundary = multipartBoundary(options.contentType ?? '');
  if (boundary !== null) return multipartRequest(body, yield* findMultipartModel(body, boundary));
  if (!(yield* checkUtf8(body, SLICE_BYTES))) return invalid(invalidUtf8());
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    return invalid(invalidJson('it begins with a byte order mark'));
  }
  const buffer = bufferOver(body);
  const scanner = new JsonScanner(body, {
    maxDepth: options.maxDepth,
    recordDepth: (start, end, escaped) =>
      end - start > MAX_KEY_BYTES ? 1 : recordDepth(decodeLiteral(buffer, start, end, escaped), options),
    maxRows: MAX_VALUES,
    maxMembers: MAX_MEMBERS,
  });
  while (!scanner.step(SLICE_BYTES)) yield;
  if (scanner.failure !== null) {
    return invalid(invalidJson(describeFailure(scanner.failure.reason, scanner.failure.offset, options.maxDepth)));
  }
  const document = { buffer, tape: scanner.tape };
  if (document.tape.kind(0) !== OBJECT) return invalid(invalidJson('it is not a JSON object'));
  return yield* readRequest(document, scanner.overflow, options);
}

/** Only the model of such a body is known. */
function multipartRequest(body: Uint8Array, outcome: MultipartOutcome): ParseOutcome {
  if (outcome.kind === 'invalid') return outcome;
  const request: ChatRequest = {
    kind: 'other',
    model: outcome.model,
    modelSpans: outcome.spans,
    messages: [],
    messagesSpan: null,
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
    rootSpan: { start: 0, end: body.length },
    bodyBytes: body.length,
    problem: null,
    isMultipart: true,
  };
  return { kind: 'request', request };
}

function invalid(error: ApiError): ParseOutcome {
  return { kind: 'invalid', error };
}

function recordDepth(key: string, options: ParseOptions): number {
  if (options.read === 'fields' && (key === 'messages' || key === 'prompt')) return 1;
  return RECORD_DEPTHS.get(key) ?? 1;
}

function describeFailure(reason: ScanFailure, offset: number, maxDepth: number): string {
  switch (reason) {
    case 'unexpected_character':
      return `unexpected character at byte ${offset}`;
    case 'unexpected_end':
      return `it ends too early, after ${offset} bytes`;
    case 'too_deep':
      return `it is nested deeper than ${maxDepth} levels at byte ${offset}`;
    case 'too_many_members':
      return `it has more than ${MAX_MEMBERS} fields`;
  }
}

function* readRequest(document: Document, overflow: boolean, options: ParseOptions): Steps<ParseOutcome> {
  const top = new Map<string, number>();
  const all: Member[] = [];
  const modelSpans: Span[] = [];
  for (const [keyRow, valueRow] of members(document, 0)) {
    const member = {
      key: keyOf(document, keyRow),
      keySpan: spanOf(document, keyRow),
      valueSpan: spanOf(document, valueRow),
    };
    all.push(member);
    top.set(member.key, valueRow);
    if (member.key === 'model') modelSpans.push(member.valueSpan);
  }
  const model = readModel(document, top);
  if (typeof model !== 'string') return invalid(model);
  const kind = kindOfPath(options.path);
  const messages = yield* readConversation(document, top, kind, options, createPace());
  const { fields, problem } = readFields(document, top);
  const messagesRow = kind === 'chat' ? top.get('messages') : undefined;
  const request: ChatRequest = {
    kind,
    model,
    modelSpans,
    messages: messages.messages,
    messagesSpan: messagesRow === undefined ? null : spanOf(document, messagesRow),
    ...fields,
    members: all,
    rootSpan: spanOf(document, 0),
    bodyBytes: document.buffer.length,
    problem: overflow
      ? tooManyItems(kind === 'completions' ? 'prompt' : 'messages', VALUES_ALLOWED)
      : (messages.problem ?? (isJudged(kind) ? problem : null)),
  };
  return { kind: 'request', request };
}

/** Only these two have fields that we know the types of. */
function isJudged(kind: ChatRequest['kind']): boolean {
  return kind === 'chat' || kind === 'completions';
}

function* readConversation(
  document: Document,
  top: TopLevel,
  kind: ChatRequest['kind'],
  options: ParseOptions,
  pace: Pace,
): Steps<MessagesRead> {
  if (options.read === 'fields' || !isJudged(kind)) return { messages: [], problem: null };
  return kind === 'chat'
    ? yield* readMessages(document, top.get('messages'), pace)
    : yield* readPrompt(document, top.get('prompt'), pace);
}

function readModel(document: Document, top: TopLevel): string | ApiError {
  const row = top.get('model');
  if (row === undefined) return missingModel();
  const { tape } = document;
  if (!tape.isString(row)) return typeProblem(document, row, 'model', 'a string');
  if (tape.end(row) - tape.start(row) > MAX_MODEL_BYTES) return tooLong('model', MAX_MODEL_BYTES);
  const model = textOf(document, row);
  return model === '' ? invalidValue('model', 'it is empty') : model;
}
