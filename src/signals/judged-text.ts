/**
 * What the encoder reads of a conversation (docs/what-is-read.md): the newest user message, and before it what it leans on. Every step is
 * bounded, so that a conversation of 32 MiB costs as much as a long one; nothing is joined that is not read.
 */
import type { ChatMessage, ChatRequest, ContentPart } from '../openai/request.ts';
import { joinFromEnd, joinUpTo, joinWithin } from './join-parts.ts';
import { hasSubject, leansOnConversation, MAX_FOLLOW_UP_CHARS } from './follow-up.ts';

export interface JudgedText {
  /** What goes to the encoder; not blank. */
  readonly text: string;
  /** The newest user message alone, cut like `text`; '' when there is no user message with text. */
  readonly newest: string;
  /** follow_up: with the conversation before it. fallback: no user message has text, so the newest other message is read. */
  readonly kind: 'newest' | 'follow_up' | 'fallback';
}

/** Characters kept of a long message, three quarters from its beginning: twice what a window of 256 tokens holds, so the tokenizer makes the real cut. */
const MESSAGE_LIMITS = { head: 3072, tail: 1024 };
/** Characters of the question that a follow-up leans on, and of the answer to it: together with the follow-up they fill a window of 256 tokens. */
const QUESTION_LIMITS = { head: 330, tail: 110 };
const ANSWER_LIMITS = { head: 330, tail: 110 };
/** How many messages back the question may lie; behind it are only more follow-ups. */
const MAX_MESSAGES_BACK = 24;
/** White space before and behind a text is skipped up to this many times the characters that are kept. */
const BLANK_FACTOR = 8;
/** Blank characters of a request that are read through in search of a text; behind them every message counts as blank. */
const MAX_BLANK_CHARS = 512 * 1024;

/** Half of a character that a cut went through. */
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

interface Limits {
  readonly head: number;
  readonly tail: number;
}

/** The text that is judged, or null when no message has any. Deterministic: the same conversation always gives the same text. */
export function judgedText(request: Pick<ChatRequest, 'messages'>): JudgedText | null {
  const { messages } = request;
  const hasText = textTest();
  const at = messages.findLastIndex((message) => speakerOf(message) === 'user' && hasText(message));
  const newest = messages[at];
  if (newest === undefined) return fallback(messages, hasText);
  const text = textOf(newest, MESSAGE_LIMITS);
  if (text.length > MAX_FOLLOW_UP_CHARS) return { text, newest: text, kind: 'newest' };
  const before = conversationBefore(messages, at, hasText);
  if (before === '' || !leansOnConversation(text, before)) return { text, newest: text, kind: 'newest' };
  return { text: `${before}\n${text}`, newest: text, kind: 'follow_up' };
}

/**
 * The question that a follow-up at `at` leans on and the answer that it follows, oldest first: the nearest earlier user message with a
 * subject (the farthest seen, when none has), and the newest assistant message with text.
 */
function conversationBefore(messages: readonly ChatMessage[], at: number, hasText: TextTest): string {
  let question = '';
  let answer = '';
  const oldest = Math.max(0, at - MAX_MESSAGES_BACK);
  for (let index = at - 1; index >= oldest; index -= 1) {
    const message = messages[index];
    if (message === undefined || !hasText(message)) continue;
    const speaker = speakerOf(message);
    if (speaker === 'assistant' && answer === '') answer = textOf(message, ANSWER_LIMITS);
    if (speaker !== 'user') continue;
    question = textOf(message, QUESTION_LIMITS);
    if (hasSubject(question)) break;
  }
  return [question, answer].filter((part) => part !== '').join('\n');
}

/** Without a user message: the newest assistant or system text is all that there is. Tool results are data, and are never judged. */
function fallback(messages: readonly ChatMessage[], hasText: TextTest): JudgedText | null {
  const message = messages.findLast((candidate) => speakerOf(candidate) !== 'tool' && hasText(candidate));
  return message === undefined ? null : { text: textOf(message, MESSAGE_LIMITS), newest: '', kind: 'fallback' };
}

type Speaker = 'user' | 'assistant' | 'system' | 'tool';

/** A role that nobody knows is one of a model's own chat template, and those are people's. */
function speakerOf(message: ChatMessage): Speaker {
  switch (message.role) {
    case 'assistant':
      return 'assistant';
    case 'system':
    case 'developer':
      return 'system';
    case 'tool':
    case 'function':
      return 'tool';
    default:
      return 'user';
  }
}

/** Whether a message has text. One test reads a bounded number of blanks, however many messages it is asked of. */
type TextTest = (message: ChatMessage) => boolean;

function textTest(): TextTest {
  let left = MAX_BLANK_CHARS;
  const isWritten = ({ kind, text }: ContentPart): boolean => {
    if (kind !== 'text' || left <= 0) return false;
    const read = text.slice(0, Math.min(left, MESSAGE_LIMITS.head * BLANK_FACTOR));
    const isBlank = !/\S/.test(read);
    if (isBlank) left -= read.length;
    return !isBlank;
  };
  return (message) => message.parts.some(isWritten);
}

/** The text parts of a message, one a line; of a long one the first `head` and the last `tail` characters. */
function textOf(message: ChatMessage, limits: Limits): string {
  const parts = message.parts.filter((part) => part.kind === 'text').map((part) => part.text);
  const whole = joinWithin(parts, limits.head + limits.tail);
  if (whole !== null) return whole.trim();
  const head = joinUpTo(parts, limits.head * BLANK_FACTOR)
    .trimStart()
    .slice(0, limits.head);
  const tail = joinFromEnd(parts, limits.tail * BLANK_FACTOR)
    .trimEnd()
    .slice(-limits.tail);
  return `${head}\n${tail}`.replace(LONE_SURROGATE, '').trim();
}
