import { atOnce, createPace, type Steps } from '../openai/pace.ts';
import type { ChatRequest, PartKind } from '../openai/request.ts';
import { looksLikeCode } from './code.ts';
import {
  createTokenCounter,
  estimateTokens,
  MAX_ESTIMATED_CHARS,
  TOKENS_PER_IMAGE,
  TOKENS_PER_MESSAGE,
} from './tokens.ts';

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

/** `shapeSteps` at one go. */
export function shapeOf(request: ChatRequest, newest: string, language: string | null): Shape {
  return atOnce(shapeSteps(request, newest, language));
}

/**
 * The shape of a request: counts and flags. Of each text at most 32 kB are read, and a request of many texts is read in steps. `inputTokens`
 * counts the text of all messages, tool definitions and images; audio and files are not counted, since their size says nothing about their
 * tokens. `newest` is the newest user text and `language` what it is written in.
 */
export function* shapeSteps(request: ChatRequest, newest: string, language: string | null): Steps<Shape> {
  const pace = createPace();
  const kinds = new Set<PartKind>();
  let tokens = toolTokens(request);
  let turns = 0;
  for (const { role, parts } of request.messages) {
    tokens += TOKENS_PER_MESSAGE;
    if (role === 'user') turns += 1;
    for (const { kind, text } of parts) {
      kinds.add(kind);
      tokens += kind === 'image' ? TOKENS_PER_IMAGE : estimateTokens(text);
      if (pace.spend(Math.min(text.length, MAX_ESTIMATED_CHARS))) yield;
    }
    if (pace.spend(0)) yield;
  }
  return {
    inputTokens: Math.ceil(tokens),
    inputTokensExact: false,
    turns,
    hasTools: request.toolCount > 0,
    hasImages: kinds.has('image'),
    hasAudio: kinds.has('audio'),
    hasFiles: kinds.has('file'),
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
 * window is as large, whatever the rest says. `pause` gives the event loop a turn every few milliseconds.
 */
export async function withExactTokens(
  request: ChatRequest,
  shape: Shape,
  maxTokens: number,
  pause: () => Promise<unknown>,
): Promise<Shape> {
  const count = await createTokenCounter(pause);
  let inputTokens = toolTokens(request);
  for (const { parts } of request.messages) {
    inputTokens += TOKENS_PER_MESSAGE;
    for (const { kind, text } of parts) {
      if (inputTokens > maxTokens) break;
      inputTokens += kind === 'image' ? TOKENS_PER_IMAGE : await count(text, maxTokens - inputTokens);
    }
  }
  return { ...shape, inputTokens: Math.ceil(inputTokens), inputTokensExact: true };
}

function toolTokens(request: ChatRequest): number {
  const tools = request.members.findLast((member) => member.key === 'tools' || member.key === 'functions');
  return tools === undefined ? 0 : (tools.valueSpan.end - tools.valueSpan.start) / TOOL_BYTES_PER_TOKEN;
}
