import type { ChatRequest } from '../../openai/request.ts';
import { firstCharacters, joinWithin, lastCharacters } from '../../signals/join-parts.ts';

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
  const parts = (message?.parts ?? []).filter(({ kind }) => kind === 'text').map((part) => part.text);
  return { forKeywords: ends(parts, KEYWORD_LIMIT), forPatterns: ends(parts, PATTERN_LIMIT) };
}

function ends(parts: readonly string[], limit: number): string {
  const head = Math.floor(limit * 0.75);
  return joinWithin(parts, limit) ?? `${firstCharacters(parts, head)}\n${lastCharacters(parts, limit - head)}`;
}
