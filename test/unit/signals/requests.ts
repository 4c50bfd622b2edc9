/** Chat requests for tests of the signals: only what they look at is filled with care. */
import type { ChatMessage, ChatRequest, ContentPart } from '../../../src/openai/request.ts';

const NOWHERE = { start: 0, end: 0 };

export function part(kind: ContentPart['kind'], text = ''): ContentPart {
  return { kind, text, textSpan: kind === 'text' ? NOWHERE : null, span: NOWHERE };
}

/** A message with string content, or with parts. */
export function message(role: string, content: string | readonly ContentPart[] | null): ChatMessage {
  const parts = typeof content === 'string' ? [part('text', content)] : (content ?? []);
  const contentKind = content === null ? 'null' : typeof content === 'string' ? 'string' : 'parts';
  return { role, contentKind, parts, span: NOWHERE, contentSpan: NOWHERE, toolCallCount: 0 };
}

export function chat(messages: readonly ChatMessage[], fields: Partial<ChatRequest> = {}): ChatRequest {
  return {
    kind: 'chat',
    model: 'auto',
    modelSpans: [],
    messages,
    messagesSpan: NOWHERE,
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
    rootSpan: NOWHERE,
    bodyBytes: 0,
    problem: null,
    ...fields,
  };
}
