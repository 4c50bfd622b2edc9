import type { ChatRequest } from '../../openai/request.ts';

/** Characters that keywords are searched in, and patterns: the search runs on the event loop, before the request is sent. */
const KEYWORD_LIMIT = 65_536;
const PATTERN_LIMIT = 8192;

/** What the rules of one request read. */
export interface RuleText {
  readonly forKeywords: string;
  readonly forPatterns: string;
}

/**
 * The text of the newest user message (all its text parts, one a line). A text over the limit (65,536 characters for keywords, 8,192 for
 * patterns) is read at its beginning (three quarters of the limit) and its end (one quarter).
 */
export function ruleText(request: ChatRequest): RuleText {
  const message = request.messages.findLast(({ role }) => role === 'user');
  const text = (message?.parts ?? [])
    .filter(({ kind }) => kind === 'text')
    .map((part) => part.text)
    .join('\n');
  return { forKeywords: ends(text, KEYWORD_LIMIT), forPatterns: ends(text, PATTERN_LIMIT) };
}

function ends(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const head = Math.floor(limit * 0.75);
  return `${text.slice(0, head)}\n${text.slice(text.length - (limit - head))}`;
}
