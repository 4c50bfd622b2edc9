/** Messages of a chat request, and the prompt of a completions request as one user message. */
import type { ApiError } from '../errors.ts';
import { countElements, elements, keyOf, members, spanOf, textOf, typeProblem, type Document } from './document.ts';
import { ARRAY, ESCAPED_STRING, NULL, NUMBER, OBJECT } from './json/tape.ts';
import { decodeLong } from './json/text.ts';
import { SLICE_BYTES, type Pace, type Steps } from './pace.ts';
import { emptyArray, missingField } from './reply.ts';
import type { ChatMessage, ContentPart, PartKind, Span } from './request.ts';

export interface MessagesRead {
  readonly messages: readonly ChatMessage[];
  /** The first thing wrong; the messages (and parts) at fault are left out. */
  readonly problem: ApiError | null;
}

type Content = Pick<ChatMessage, 'contentKind' | 'parts' | 'contentSpan'>;
type Report = (problem: ApiError) => void;

/** OpenAI's part types and those that vLLM takes besides; a type not named here is `other`. */
const PART_KINDS: ReadonlyMap<string, PartKind> = new Map<string, PartKind>([
  ['text', 'text'],
  ['input_text', 'text'],
  ['output_text', 'text'],
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['image', 'image'],
  ['image_pil', 'image'],
  ['image_embeds', 'image'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['audio_embeds', 'audio'],
  ['file', 'file'],
  ['input_file', 'file'],
  ['refusal', 'refusal'],
]);
/** Longer role and type strings are none that anyone knows; their text is not decoded. */
const MAX_NAME_BYTES = 256;
const ABSENT: Content = { contentKind: 'absent', parts: [], contentSpan: null };

/** Reads `messages`; `row` is undefined when the member is missing. Gives control back as `pace` demands. */
export function* readMessages(document: Document, row: number | undefined, pace: Pace): Steps<MessagesRead> {
  if (row === undefined) return { messages: [], problem: missingField('messages') };
  if (document.tape.kind(row) !== ARRAY) {
    return { messages: [], problem: typeProblem(document, row, 'messages', 'an array of objects') };
  }
  let problem: ApiError | null = null;
  const report: Report = (found) => (problem ??= found);
  const messages: ChatMessage[] = [];
  let index = 0;
  for (const element of elements(document, row)) {
    const param = `messages[${index}]`;
    if (document.tape.kind(element) === OBJECT) {
      messages.push(yield* readMessage(document, element, param, pace, report));
    } else {
      report(typeProblem(document, element, param, 'an object'));
    }
    index += 1;
    if (pace.spend(0)) yield;
  }
  if (index === 0) report(emptyArray('messages'));
  return { messages, problem };
}

function* readMessage(document: Document, row: number, param: string, pace: Pace, report: Report): Steps<ChatMessage> {
  const members = yield* pacedMembers(document, row, pace);
  const role = readName(document, members.get('role'), `${param}.role`, report);
  const content = yield* readContent(document, members.get('content'), `${param}.content`, pace, report);
  const calls = members.get('tool_calls');
  const toolCallCount = calls !== undefined && document.tape.kind(calls) === ARRAY ? countElements(document, calls) : 0;
  return { role, ...content, span: spanOf(document, row), toolCallCount };
}

/** `lastMembers` of an object that may have very many. */
function* pacedMembers(document: Document, row: number, pace: Pace): Steps<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const [key, value] of members(document, row)) {
    found.set(keyOf(document, key), value);
    if (pace.spend(0)) yield;
  }
  return found;
}

/** A short string that must be there: a role, a part's type. '' where it is wrong, which is reported. */
function readName(document: Document, row: number | undefined, param: string, report: Report): string {
  if (row === undefined) {
    report(missingField(param));
    return '';
  }
  if (!document.tape.isString(row)) {
    report(typeProblem(document, row, param, 'a string'));
    return '';
  }
  return document.tape.end(row) - document.tape.start(row) > MAX_NAME_BYTES ? '' : textOf(document, row);
}

function* readContent(
  document: Document,
  row: number | undefined,
  param: string,
  pace: Pace,
  report: Report,
): Steps<Content> {
  if (row === undefined) return ABSENT;
  const { tape } = document;
  const contentSpan = spanOf(document, row);
  if (tape.kind(row) === NULL) return { contentKind: 'null', parts: [], contentSpan };
  if (tape.isString(row)) {
    return { contentKind: 'string', parts: [yield* readText(document, row, contentSpan, pace)], contentSpan };
  }
  if (tape.kind(row) !== ARRAY) {
    report(typeProblem(document, row, param, 'a string or an array of objects'));
    return ABSENT;
  }
  const parts: ContentPart[] = [];
  let index = 0;
  for (const element of elements(document, row)) {
    const part = `${param}[${index}]`;
    if (tape.kind(element) === OBJECT) parts.push(yield* readPart(document, element, part, pace, report));
    else report(typeProblem(document, element, part, 'an object'));
    index += 1;
    if (pace.spend(0)) yield;
  }
  return { contentKind: 'parts', parts, contentSpan };
}

function* readPart(document: Document, row: number, param: string, pace: Pace, report: Report): Steps<ContentPart> {
  const members = yield* pacedMembers(document, row, pace);
  const span = spanOf(document, row);
  const kind = PART_KINDS.get(readName(document, members.get('type'), `${param}.type`, report)) ?? 'other';
  if (kind !== 'text') return { kind, text: '', textSpan: null, span };
  const text = members.get('text');
  if (text !== undefined && document.tape.isString(text)) return yield* readText(document, text, span, pace);
  report(text === undefined ? missingField(`${param}.text`) : typeProblem(document, text, `${param}.text`, 'a string'));
  return { kind: 'other', text: '', textSpan: null, span };
}

function* readText(document: Document, row: number, span: Span, pace: Pace): Steps<ContentPart> {
  const { tape, buffer } = document;
  const textSpan = spanOf(document, row);
  if (pace.spend(textSpan.end - textSpan.start)) yield;
  const escaped = tape.kind(row) === ESCAPED_STRING;
  const text = yield* decodeLong(buffer, textSpan.start, textSpan.end, escaped, SLICE_BYTES);
  return { kind: 'text', text, textSpan, span };
}

/** Reads `prompt` as one user message. Prompts that are token numbers are a message without text. */
export function* readPrompt(document: Document, row: number | undefined, pace: Pace): Steps<MessagesRead> {
  if (row === undefined) return { messages: [], problem: missingField('prompt') };
  const { tape } = document;
  const span = spanOf(document, row);
  const message = (contentKind: ChatMessage['contentKind'], parts: readonly ContentPart[]): MessagesRead => ({
    messages: [{ role: 'user', contentKind, parts, span, contentSpan: span, toolCallCount: 0 }],
    problem: null,
  });
  if (tape.isString(row)) return message('string', [yield* readText(document, row, span, pace)]);
  const expected = 'a string, an array of strings, or an array of token numbers';
  if (tape.kind(row) !== ARRAY) return { messages: [], problem: typeProblem(document, row, 'prompt', expected) };
  const parts: ContentPart[] = [];
  let index = 0;
  for (const element of elements(document, row)) {
    if (tape.isString(element)) {
      parts.push(yield* readText(document, element, spanOf(document, element), pace));
    } else if (tape.kind(element) !== NUMBER && tape.kind(element) !== ARRAY) {
      return { messages: [], problem: typeProblem(document, element, `prompt[${index}]`, 'a string') };
    }
    index += 1;
    if (pace.spend(0)) yield;
  }
  return index === 0 ? { messages: [], problem: emptyArray('prompt') } : message('parts', parts);
}
