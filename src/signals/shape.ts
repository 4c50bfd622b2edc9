import type { ChatMessage, ChatRequest } from '../openai/request.ts';
import { looksLikeCode } from './code.ts';
import { countTokensExact, estimateTokens, TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE } from './tokens.ts';

/** What can be seen of a request without understanding it. */
export interface Shape {
  /** Estimated prompt tokens of all messages and tool definitions; `inputTokensExact` says whether a tokenizer counted them. */
  readonly inputTokens: number;
  readonly inputTokensExact: boolean;
  readonly turns: number;
  readonly hasTools: boolean;
  readonly hasImages: boolean;
  readonly hasAudio: boolean;
  readonly hasFiles: boolean;
  readonly wantsJson: 'json_object' | 'json_schema' | null;
  readonly wantsLogprobs: boolean;
  readonly choices: number;
  readonly maxOutputTokens: number | null;
  readonly hasCode: boolean;
  /** ISO 639-1 code of the newest user text, or null when it can't be told. */
  readonly language: string | null;
  readonly stream: boolean;
}

/** Tools are sent as JSON, which takes about this many bytes a token. */
const TOOL_BYTES_PER_TOKEN = 4;

/**
 * The shape of a request: counts and flags, each from a bounded look (a text of any size costs at most 32 kB of reading). `inputTokens` counts
 * the text of all messages, tool definitions and images; audio and files are not counted, since their size says nothing about their tokens.
 * `newest` is the newest user text and `language` what it is written in.
 */
export function shapeOf(request: ChatRequest, newest: string, language: string | null): Shape {
  const { messages } = request;
  const has = (kind: string) => messages.some((message) => message.parts.some((part) => part.kind === kind));
  return {
    inputTokens: Math.ceil(messages.reduce((sum, message) => sum + tokensOf(message), toolTokens(request))),
    inputTokensExact: false,
    turns: messages.filter((message) => message.role === 'user').length,
    hasTools: request.toolCount > 0,
    hasImages: has('image'),
    hasAudio: has('audio'),
    hasFiles: has('file'),
    wantsJson: request.responseFormat === 'text' ? null : request.responseFormat,
    wantsLogprobs: request.logprobs,
    choices: request.choices,
    maxOutputTokens: request.maxOutputTokens,
    hasCode: looksLikeCode(newest),
    language,
    stream: request.stream,
  };
}

/**
 * The shape with the text's tokens really counted (images and tool definitions stay estimates). Stops counting above `maxTokens`: no model's
 * window is as large, whatever the rest says. Gives the event loop a turn every few milliseconds.
 */
export async function withExactTokens(request: ChatRequest, shape: Shape, maxTokens: number): Promise<Shape> {
  let inputTokens = toolTokens(request);
  for (const { parts } of request.messages) {
    inputTokens += TOKENS_PER_MESSAGE;
    for (const { kind, text } of parts) {
      if (inputTokens > maxTokens) break;
      inputTokens += kind === 'image' ? TOKENS_PER_IMAGE : await countTokensExact(text, maxTokens - inputTokens);
    }
  }
  return { ...shape, inputTokens: Math.ceil(inputTokens), inputTokensExact: true };
}

function tokensOf(message: ChatMessage): number {
  let tokens = TOKENS_PER_MESSAGE;
  for (const part of message.parts) {
    if (part.kind === 'image') tokens += TOKENS_PER_IMAGE;
    else tokens += estimateTokens(part.text);
  }
  return tokens;
}

function toolTokens(request: ChatRequest): number {
  const tools = request.members.findLast((member) => member.key === 'tools' || member.key === 'functions');
  return tools === undefined ? 0 : (tools.valueSpan.end - tools.valueSpan.start) / TOOL_BYTES_PER_TOKEN;
}
