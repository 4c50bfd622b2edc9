/** An answer in place of a model's, for a request that a policy stopped: 200 with finish_reason content_filter, as OpenAI's models give it. */

export interface FilteredAnswer {
  readonly contentType: string;
  readonly body: string;
}

/** The answer to a chat or completions request; a stream gets its one chunk and `[DONE]`. `createdS` is Unix time in seconds. */
export function contentFiltered(
  request: { readonly kind: string; readonly model: string; readonly stream: boolean },
  id: string,
  createdS: number,
): FilteredAnswer {
  const isChat = request.kind !== 'completions';
  const common = { id: `${isChat ? 'chatcmpl' : 'cmpl'}-${id}`, created: createdS, model: request.model };
  const end = { index: 0, finish_reason: 'content_filter', logprobs: null };
  if (request.stream) {
    const choice = isChat ? { ...end, delta: {} } : { ...end, text: '' };
    const object = isChat ? 'chat.completion.chunk' : 'text_completion';
    const chunk = JSON.stringify({ ...common, object, choices: [choice] });
    return { contentType: 'text/event-stream', body: `data: ${chunk}\n\ndata: [DONE]\n\n` };
  }
  const choice = isChat ? { ...end, message: { role: 'assistant', content: '', refusal: null } } : { ...end, text: '' };
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const object = isChat ? 'chat.completion' : 'text_completion';
  return { contentType: 'application/json', body: JSON.stringify({ ...common, object, choices: [choice], usage }) };
}
