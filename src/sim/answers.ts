/** The bodies that a simulated endpoint answers with, in vLLM's shapes. */
import { answerText, tokensOf, type SimRequest } from './prompt.ts';

/** Which OpenAI call is answered. */
export type Call = 'chat' | 'completions';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** One answer, before it is written as JSON or as a stream. */
export interface Answer {
  readonly id: string;
  readonly call: Call;
  readonly model: string;
  readonly created: number;
  readonly text: string;
  readonly usage: Usage;
}

/** Makes the answer of `model`; `id` and `created` (epoch seconds) come from outside. */
export function makeAnswer(call: Call, model: string, request: SimRequest, id: string, created: number): Answer {
  const text = answerText(model, request);
  const promptTokens = tokensOf(request.textLength);
  const completionTokens = tokensOf(text.length);
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
  return { id: `${call === 'chat' ? 'chatcmpl' : 'cmpl'}-${id}`, call, model, created, text, usage };
}

/** The whole answer as one JSON body. */
export function completeBody(answer: Answer): object {
  const choice =
    answer.call === 'chat'
      ? { index: 0, message: { role: 'assistant', content: answer.text }, logprobs: null, finish_reason: 'stop' }
      : { index: 0, text: answer.text, logprobs: null, finish_reason: 'stop' };
  return {
    ...head(answer, answer.call === 'chat' ? 'chat.completion' : 'text_completion'),
    choices: [choice],
    usage: answer.usage,
  };
}

/** The events of a streamed answer, without the closing `[DONE]`: role, text in `pieces` parts (null: words), finish, usage if asked for. */
export function streamEvents(answer: Answer, pieces: number | null, includeUsage: boolean): readonly object[] {
  const shape = head(answer, answer.call === 'chat' ? 'chat.completion.chunk' : 'text_completion');
  const event = (delta: object, text: string, finish: string | null): object => ({
    ...shape,
    choices: [
      answer.call === 'chat' ? { index: 0, delta, finish_reason: finish } : { index: 0, text, finish_reason: finish },
    ],
  });
  const parts = cutText(answer.text, pieces);
  return [
    ...(answer.call === 'chat' ? [event({ role: 'assistant', content: '' }, '', null)] : []),
    ...parts.map((part) => event({ content: part }, part, null)),
    event({}, '', 'stop'),
    ...(includeUsage ? [{ ...shape, choices: [], usage: answer.usage }] : []),
  ];
}

/** Embeddings that depend on the text alone: the same text always gives the same unit vector of 8 numbers. */
export function embeddingsBody(model: string, inputs: readonly string[]): object {
  const tokens = inputs.reduce((sum, input) => sum + tokensOf(input.length), 0);
  return {
    object: 'list',
    model,
    data: inputs.map((input, index) => ({ object: 'embedding', index, embedding: toyVector(input) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** vLLM's error body. */
export function errorBody(status: number, type: string, message: string): object {
  return { error: { message, type, param: null, code: status } };
}

/** The list of models. */
export function modelList(models: readonly string[], created: number): object {
  return { object: 'list', data: models.map((id) => ({ id, object: 'model', created, owned_by: 'vllm' })) };
}

function head(answer: Answer, object: string): object {
  return { id: answer.id, object, created: answer.created, model: answer.model };
}

function cutText(text: string, pieces: number | null): readonly string[] {
  const words = text.match(/\S+\s*/g) ?? [text];
  if (pieces === null) return words;
  return Array.from({ length: pieces }, (_, index) => words[index] ?? `${words[index % words.length]?.trim() ?? ''} `);
}

function toyVector(text: string): readonly number[] {
  const vector = new Array<number>(8).fill(0);
  for (let index = 0; index < text.length; index += 1)
    vector[index % 8] = (vector[index % 8] ?? 0) + text.charCodeAt(index);
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
