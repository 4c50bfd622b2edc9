import { describe, expect, test } from '@jest/globals';
import { answerFormat, AnswerReader, type AnswerFacts } from '../../../src/openai/response.ts';

function read(format: 'json' | 'sse' | 'none', text: string): AnswerFacts {
  const reader = new AnswerReader(format);
  reader.push(Buffer.from(text));
  return reader.facts();
}

const EMPTY: AnswerFacts = {
  model: null,
  promptTokens: null,
  completionTokens: null,
  totalTokens: null,
  cachedTokens: null,
  reasoningTokens: null,
  finishReasons: [],
  firstDataAt: null,
  events: 0,
  complete: false,
  failed: false,
};

describe('JSON answers', () => {
  test('of chat', () => {
    const body = {
      id: 'x',
      model: 'org/m',
      choices: [
        { index: 0, message: { content: 'say {"usage":{"prompt_tokens":1}}' }, finish_reason: 'stop' },
        { index: 1, message: { finish_reason: 'no' }, finish_reason: 'length', model: 'no' },
      ],
      usage: {
        prompt_tokens: 12,
        total_tokens: 20,
        completion_tokens: 8,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    };
    for (const indent of [0, 2]) {
      expect(read('json', JSON.stringify(body, null, indent))).toEqual({
        ...EMPTY,
        model: 'org/m',
        promptTokens: 12,
        completionTokens: 8,
        totalTokens: 20,
        cachedTokens: 4,
        reasoningTokens: 2,
        finishReasons: ['stop', 'length'],
        firstDataAt: 0,
        complete: true,
      });
    }
  });

  test('of embeddings have no completion tokens', () => {
    const facts = read(
      'json',
      '{"data":[{"embedding":[0.5,-1e-3]}],"model":"e","usage":{"prompt_tokens":3,"total_tokens":3,"prompt_tokens_details":null}}',
    );
    expect(facts).toMatchObject({ model: 'e', promptTokens: 3, completionTokens: null, totalTokens: 3 });
  });

  test('of the Responses API', () => {
    const facts = read(
      'json',
      '{"model":"m","usage":{"input_tokens":3,"output_tokens":4,"output_tokens_details":{"reasoning_tokens":1}}}',
    );
    expect(facts).toMatchObject({ promptTokens: 3, completionTokens: 4, totalTokens: 7, reasoningTokens: 1 });
  });

  test.each([
    ['an error', '{"error":{"message":"no"}}', { failed: true, complete: true }],
    ['no error', '{"error":null,"model":"m"}', { failed: false, model: 'm' }],
    ['cut off', '{"model":"m","usage":{"prompt_tokens":3', { model: 'm', promptTokens: null, complete: false }],
    ['nonsense for usage', '{"usage":5,"model":[]}', { model: null, promptTokens: null }],
    [
      'nonsense for numbers',
      '{"usage":{"prompt_tokens":-1,"completion_tokens":1.5,"total_tokens":"9"}}',
      { promptTokens: null, completionTokens: null, totalTokens: null },
    ],
    ['an array', '[{"model":"m"}]', { model: null, complete: true }],
  ])('%s', (_, text, expected) => {
    expect(read('json', text)).toMatchObject(expected);
  });

  test('a usage object of any length, or of any depth, costs no memory and is left out', () => {
    expect(read('json', `{"usage":{"x":"${'y'.repeat(1 << 20)}"},"model":"m"}`)).toMatchObject({
      model: 'm',
      promptTokens: null,
    });
    expect(read('json', `{"usage":${'['.repeat(1 << 18)}${']'.repeat(1 << 18)},"model":"m"}`)).toMatchObject({
      model: 'm',
    });
  });
});

describe('event streams', () => {
  test('of chat, with usage in the last event', () => {
    const reader = new AnswerReader('sse');
    reader.push(Buffer.from(': warming up\n\nda'));
    expect(reader.hasData).toBe(false);
    reader.push(
      Buffer.from('ta: {"model":"m","choices":[{"delta":{"role":"assistant"},"finish_reason":null}],"usage":null}\n\n'),
    );
    expect(reader.hasData).toBe(true);
    reader.push(Buffer.from('data: {"model":"m","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'));
    reader.push(
      Buffer.from(
        'data: {"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11}}\n\n',
      ),
    );
    expect(reader.facts().complete).toBe(false);
    reader.push(Buffer.from('data: [DONE]\n\n'));
    expect(reader.facts()).toEqual({
      ...EMPTY,
      model: 'm',
      promptTokens: 5,
      completionTokens: 6,
      totalTokens: 11,
      finishReasons: ['stop'],
      firstDataAt: 20,
      events: 3,
      complete: true,
    });
  });

  test('of the Responses API', () => {
    const text =
      'event: response.completed\ndata: {"type":"x","response":{"model":"m","usage":{"input_tokens":1,"output_tokens":2}}}\n\n';
    expect(read('sse', text)).toMatchObject({ model: 'm', promptTokens: 1, completionTokens: 2, events: 1 });
  });

  test('of lines that end in carriage returns alone', () => {
    expect(read('sse', 'data:x\r\r'.repeat(150_000))).toMatchObject({ events: 150_000 });
  });

  test('an error in the middle', () => {
    expect(read('sse', 'data: {"error":{"message":"out of memory"}}\n\n')).toMatchObject({
      failed: true,
      complete: false,
    });
  });

  test('[DONE] alone is no data, and text that begins like it is', () => {
    expect(read('sse', 'data: [DONE]\n\n')).toEqual({ ...EMPTY, complete: true });
    expect(read('sse', 'data: [DONER]\n\n')).toMatchObject({ firstDataAt: 6, events: 1, complete: false });
    expect(read('sse', 'data: [DO\n\n')).toMatchObject({ events: 1, complete: false });
  });

  test('each of a broken and a good event is read for itself', () => {
    expect(read('sse', 'data: {"choices":[{"x":"\n\ndata: {"model":"m"}\n\n')).toMatchObject({ model: 'm', events: 2 });
  });
});

test.each([
  ['application/json', '', 'json'],
  ['Application/JSON; charset=utf-8', 'identity', 'json'],
  ['application/problem+json', '', 'json'],
  ['text/event-stream; charset=utf-8', '', 'sse'],
  ['text/html', '', 'none'],
  ['', '', 'none'],
  ['application/json', 'gzip', 'none'],
])('%j with encoding %j is read as %s', (type, encoding, expected) => {
  expect(answerFormat(type, encoding)).toBe(expected);
});

test('what is not read still says when it began', () => {
  expect(read('none', 'abc')).toEqual({ ...EMPTY, firstDataAt: 0 });
});
