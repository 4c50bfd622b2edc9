/** Where a category's system prompt goes. Only messages[0] is looked at; its role, name and other fields stay. */
import type { SystemPromptChoice } from '../decision/decision.ts';
import type { ChatMessage, ChatRequest, ContentPart } from '../openai/request.ts';
import { editContainer, memberJson, type Splice } from './splices.ts';

/** Between the prompt and the caller's own text. */
const BLANK_LINE = '\n\n';

/** The splices that put the prompt in; none when the request has no messages to put it before. */
export function systemPromptSplices(request: ChatRequest, choice: SystemPromptChoice): readonly Splice[] {
  const { messagesSpan, messages } = request;
  if (messagesSpan === null) return [];
  const leading = messages[0];
  if (leading !== undefined && (leading.role === 'system' || leading.role === 'developer')) {
    return spliceIntoMessage(leading, choice);
  }
  const at = messagesSpan.start + 1;
  const message = `{"role":"system",${memberJson('content', JSON.stringify(choice.text))}}`;
  return [{ start: at, end: at, text: leading === undefined ? message : `${message},` }];
}

function spliceIntoMessage(message: ChatMessage, choice: SystemPromptChoice): readonly Splice[] {
  const { contentSpan, parts } = message;
  const [only] = parts;
  if (message.contentKind === 'string' && only !== undefined) return [spliceIntoText(only, choice)];
  if (message.contentKind === 'parts' && contentSpan !== null)
    return spliceIntoParts(message, contentSpan.start, choice);
  const text = JSON.stringify(choice.mode === 'insert' ? choice.text + BLANK_LINE : choice.text);
  if (contentSpan !== null) return [{ ...contentSpan, text }];
  // A message without content has its role at least, so a comma follows.
  const at = message.span.start + 1;
  return [{ start: at, end: at, text: `${memberJson('content', text)},` }];
}

/** Inserting leaves the old literal as it is written, escapes and all. */
function spliceIntoText(part: ContentPart, { mode, text }: SystemPromptChoice): Splice {
  const literal = part.textSpan ?? part.span;
  if (mode === 'replace') return { ...literal, text: JSON.stringify(text) };
  const at = literal.start + 1;
  return { start: at, end: at, text: JSON.stringify(text + BLANK_LINE).slice(1, -1) };
}

function spliceIntoParts(message: ChatMessage, start: number, choice: SystemPromptChoice): readonly Splice[] {
  const { parts } = message;
  const container = { start, end: message.contentSpan?.end ?? start };
  const items = parts.map((part) => part.span);
  const first = parts.findIndex((part) => part.kind === 'text');
  const firstText = parts[first];
  if (firstText === undefined) {
    const added = [`{"type":"text",${memberJson('text', JSON.stringify(choice.text))}}`];
    return editContainer({ container, items, removed: () => false, added });
  }
  const edited = spliceIntoText(firstText, choice);
  if (choice.mode === 'insert') return [edited];
  const removed = (index: number): boolean => index > first && parts[index]?.kind === 'text';
  return [edited, ...editContainer({ container, items, removed, added: [] })];
}
