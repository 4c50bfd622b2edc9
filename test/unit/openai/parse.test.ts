import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { ApiError } from '../../../src/errors.ts';
import { MAX_VALUES, parseRequest, parseRequestAsync, type ParseOutcome } from '../../../src/openai/parse.ts';
import type { ChatRequest } from '../../../src/openai/request.ts';

const CHAT = '/v1/chat/completions';

function parse(body: string | Uint8Array, path = CHAT): ParseOutcome {
  return parseRequest(typeof body === 'string' ? Buffer.from(body) : body, { path, maxDepth: 100 });
}

function requestOf(body: unknown, path = CHAT): ChatRequest {
  const outcome = parse(typeof body === 'string' ? body : JSON.stringify(body), path);
  if (outcome.kind === 'invalid') throw new Error(outcome.error.message);
  return outcome.request;
}

function errorOf(body: string | Uint8Array, path = CHAT): ApiError {
  const outcome = parse(body, path);
  if (outcome.kind === 'request') throw new Error('it was accepted');
  return outcome.error;
}

function problemOf(body: object, path = CHAT): Pick<ApiError, 'code' | 'param'> | null {
  const { problem } = requestOf(body, path);
  return problem === null ? null : { code: problem.code, param: problem.param };
}

const USER = { role: 'user', content: 'hi' };

describe('a compressed body', () => {
  const read = (body: Uint8Array, contentEncoding: string) =>
    parseRequest(body, { path: CHAT, maxDepth: 100, contentEncoding });
  const json = Buffer.from(JSON.stringify({ model: 'a', messages: [USER] }));

  test.each([
    ['gzip', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['br', brotliCompressSync(json)],
    ['GZIP', gzipSync(json)],
    ['identity, gzip', gzipSync(json)],
    // Nothing here can make it: any bytes that are no JSON stand for it.
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00])],
  ])('%s is a 415 that says what is allowed', (contentEncoding, body) => {
    expect(read(body, contentEncoding)).toEqual({
      kind: 'invalid',
      error: {
        status: 415,
        type: 'invalid_request_error',
        code: 'unsupported_content_encoding',
        message: expect.stringContaining('Allowed: identity') as unknown,
        param: null,
      },
    });
  });

  test.each(['', 'identity', ' Identity , identity'])('is none where the header says %j', (contentEncoding) => {
    expect(read(gzipSync(json), contentEncoding)).toMatchObject({ error: { status: 400, code: 'invalid_utf8' } });
  });

  test('a header that is not true breaks no request', () => {
    expect(read(json, 'gzip')).toMatchObject({ kind: 'request', request: { model: 'a' } });
    expect(read(Buffer.from('{"messages":[]}'), 'gzip')).toMatchObject({ error: { status: 400, param: 'model' } });
    expect(read(Buffer.alloc(0), 'gzip')).toMatchObject({ error: { status: 400, code: 'invalid_json' } });
  });
});

describe('a body that no endpoint may see', () => {
  test.each([
    ['empty', '', 'invalid_json', 'We could not parse the JSON body of your request: it is empty.'],
    ['text', 'hello', 'invalid_json', 'unexpected character at byte 0'],
    ['cut off', '{"model":"a', 'invalid_json', 'it ends too early, after 11 bytes'],
    ['followed by more', '{"model":"a"} {', 'invalid_json', 'unexpected character at byte 14'],
    ['an array', '[{"model":"a"}]', 'invalid_json', 'it is not a JSON object'],
    ['a string', '"model"', 'invalid_json', 'it is not a JSON object'],
    ['with a byte order mark', '\ufeff{"model":"a"}', 'invalid_json', 'byte order mark'],
    ['with a raw line break in a string', '{"model":"a\n"}', 'invalid_json', 'unexpected character at byte 11'],
    ['too deep', `{"model":"a","x":${'['.repeat(100)}${']'.repeat(100)}}`, 'invalid_json', 'deeper than 100 levels'],
  ])('%s', (_, body, code, message) => {
    expect(errorOf(body)).toMatchObject({ status: 400, type: 'invalid_request_error', code, param: null });
    expect(errorOf(body).message).toContain(message);
  });

  test.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut character', [0xe2, 0x82]],
  ])('invalid UTF-8: %s', (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"model":"a","x":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(errorOf(body)).toMatchObject({ status: 400, code: 'invalid_utf8' });
  });

  test('UTF-16 is not UTF-8', () => {
    expect(errorOf(Buffer.from('\ufeff{"model":"a"}', 'utf16le')).code).toBe('invalid_utf8');
  });

  test.each([CHAT, '/v1/completions', '/v1/embeddings', '/v1/rerank'])('a missing or bad model, on %s', (path) => {
    expect(errorOf('{}', path)).toMatchObject({ status: 400, code: 'missing_required_parameter', param: 'model' });
    expect(errorOf('{"model":5}', path)).toMatchObject({ code: 'invalid_type', param: 'model' });
    expect(errorOf('{"model":null}', path).message).toBe(
      "Invalid type for 'model': expected a string, but got null instead.",
    );
    expect(errorOf('{"model":""}', path)).toMatchObject({ code: 'invalid_value', param: 'model' });
    expect(errorOf(`{"model":"${'x'.repeat(5000)}"}`, path)).toMatchObject({ param: 'model' });
    expect(errorOf('{"model":"a","model":1}', path)).toMatchObject({ code: 'invalid_type', param: 'model' });
  });

  test('no error carries anything of the body', () => {
    for (const body of [
      '{"model":"secret"',
      '{"secret',
      'secret',
      '{"model":{"secret":1}}',
      '{"model":"a","x":secret}',
    ]) {
      expect(JSON.stringify(errorOf(body))).not.toContain('secret');
    }
  });
});

test('a request is read as it is written', () => {
  const body = `{
    "model": "first", "mod\\u0065l": "auto",
    "messages": [
      {"role": "system", "content": "Be \\u00e9."},
      {"content": [{"type": "text", "text": "a"}, {"type":"image_url","image_url":{"url":"x"}}, {"type":"new"}], "role": "user"},
      {"role": "assistant", "content": null, "tool_calls": [{}, {}]},
      {"role": "user", "content": "old", "content": "new"}
    ],
    "stream": true, "tools": [{}], "tool_choice": {"type":"function"}, "response_format": {"type":"json_schema"},
    "max_tokens": 5, "max_completion_tokens": 7, "n": 2, "logprobs": true, "user": "u", "prompt_cache_key": "k",
    "reasoning_effort": "high", "chat_template_kwargs": {"thinking": false, "x": [1.0]},
    "routing": {"objective": "cost"}, "models": ["a"]
  }`;
  const request = requestOf(body);
  const slice = (span: { start: number; end: number } | null): string =>
    span === null ? '' : Buffer.from(body).toString('utf8', span.start, span.end);

  expect(request).toMatchObject({
    kind: 'chat',
    model: 'auto',
    stream: true,
    toolCount: 1,
    toolChoice: 'named',
    responseFormat: 'json_schema',
    maxOutputTokens: 7,
    choices: 2,
    logprobs: true,
    user: 'u',
    promptCacheKey: 'k',
    routingFields: { routing: { objective: 'cost' }, provider: undefined, models: ['a'] },
    problem: null,
    bodyBytes: Buffer.byteLength(body),
  });
  expect(request.modelSpans.map(slice)).toEqual(['"first"', '"auto"']);
  expect(request.messages.map(({ role, contentKind, toolCallCount }) => [role, contentKind, toolCallCount])).toEqual([
    ['system', 'string', 0],
    ['user', 'parts', 0],
    ['assistant', 'null', 2],
    ['user', 'string', 0],
  ]);
  expect(request.messages[0]?.parts).toMatchObject([{ kind: 'text', text: 'Be é.' }]);
  expect(request.messages[1]?.parts.map(({ kind, text }) => [kind, text])).toEqual([
    ['text', 'a'],
    ['image', ''],
    ['other', ''],
  ]);
  expect(slice(request.messages[1]!.parts[0]!.textSpan)).toBe('"a"');
  expect(slice(request.messages[1]!.parts[2]!.span)).toBe('{"type":"new"}');
  expect(slice(request.messages[3]!.contentSpan)).toBe('"new"');
  expect(request.messages[3]?.parts).toMatchObject([{ text: 'new' }]);
  expect(slice(request.callerReasoning.templateKwargsSpan)).toBe('{"thinking": false, "x": [1.0]}');
  expect(request.callerReasoning).toMatchObject({
    effort: 'high',
    templateKwargs: [
      { key: 'thinking', value: false },
      { key: 'x', value: [1] },
    ],
  });
  expect(slice(request.messagesSpan)).toMatch(/^\[[^]*\]$/);
  expect(slice(request.rootSpan)).toBe(body);
  expect(request.members.map((member) => member.key).slice(0, 4)).toEqual(['model', 'model', 'messages', 'stream']);
});

test('the last of duplicate messages counts, as in the parsers of the endpoints', () => {
  const request = requestOf('{"model":"a","messages":[],"messages":[{"role":"user","content":"b"}]}');
  expect(request.problem).toBeNull();
  expect(request.messages).toHaveLength(1);
});

describe('what an alias is refused for', () => {
  test.each<[string, object, string, string]>([
    ['no messages', {}, 'missing_required_parameter', 'messages'],
    ['messages of a wrong type', { messages: 'x' }, 'invalid_type', 'messages'],
    ['null messages', { messages: null }, 'invalid_type', 'messages'],
    ['empty messages', { messages: [] }, 'empty_array', 'messages'],
    ['a message that is no object', { messages: [USER, 'x'] }, 'invalid_type', 'messages[1]'],
    ['no role', { messages: [{ content: 'x' }] }, 'missing_required_parameter', 'messages[0].role'],
    ['a role of a wrong type', { messages: [{ role: 1 }] }, 'invalid_type', 'messages[0].role'],
    ['a number as content', { messages: [{ role: 'user', content: 5 }] }, 'invalid_type', 'messages[0].content'],
    ['an object as content', { messages: [{ role: 'user', content: {} }] }, 'invalid_type', 'messages[0].content'],
    ['a bare string part', { messages: [{ role: 'user', content: ['x'] }] }, 'invalid_type', 'messages[0].content[0]'],
    [
      'a part without type',
      { messages: [{ role: 'user', content: [{}] }] },
      'missing_required_parameter',
      'messages[0].content[0].type',
    ],
    [
      'a text part without text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'missing_required_parameter',
      'messages[0].content[0].text',
    ],
    [
      'text of a wrong type',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 1 }] }] },
      'invalid_type',
      'messages[0].content[0].text',
    ],
    ['stream', { messages: [USER], stream: 'yes' }, 'invalid_type', 'stream'],
    ['tools', { messages: [USER], tools: {} }, 'invalid_type', 'tools'],
    ['tool_choice', { messages: [USER], tool_choice: 1 }, 'invalid_type', 'tool_choice'],
    ['response_format', { messages: [USER], response_format: 'json' }, 'invalid_type', 'response_format'],
    ['max_tokens', { messages: [USER], max_tokens: '5' }, 'invalid_type', 'max_tokens'],
    ['n', { messages: [USER], n: 1.5 }, 'invalid_type', 'n'],
    ['logprobs', { messages: [USER], logprobs: 'x' }, 'invalid_type', 'logprobs'],
    ['user', { messages: [USER], user: 7 }, 'invalid_type', 'user'],
    ['reasoning_effort', { messages: [USER], reasoning_effort: 3 }, 'invalid_type', 'reasoning_effort'],
    ['chat_template_kwargs', { messages: [USER], chat_template_kwargs: 'x' }, 'invalid_type', 'chat_template_kwargs'],
    ['a huge routing object', { messages: [USER], routing: 'x'.repeat(70_000) }, 'string_above_max_length', 'routing'],
  ])('%s', (_, fields, code, param) => {
    expect(problemOf({ model: 'auto', ...fields })).toEqual({ code, param });
  });

  test('null stands for absent, and what we do not know passes', () => {
    const nulls = Object.fromEntries(
      [
        'stream',
        'tools',
        'tool_choice',
        'response_format',
        'max_tokens',
        'n',
        'logprobs',
        'user',
        'reasoning_effort',
        'chat_template_kwargs',
      ].map((key) => [key, null]),
    );
    expect(problemOf({ model: 'auto', messages: [USER], ...nulls, temperature: 'hot', vendor: {} })).toBeNull();
    expect(requestOf({ model: 'auto', messages: [USER], ...nulls })).toMatchObject({
      stream: false,
      choices: 1,
      toolChoice: 'absent',
    });
  });

  test('more messages than anyone sends', () => {
    const body = `{"model":"auto","messages":[${'{},'.repeat(270_000)}{}]}`;
    expect(requestOf(body).problem).toMatchObject({ code: 'array_above_max_length', param: 'messages' });
  });

  test('the limit is the documented one, and the message names it', () => {
    const limit = 131_072;
    expect([MAX_VALUES, readFileSync('docs/refusals.md', 'utf8').includes('131,072 names and values')]).toEqual([
      limit,
      true,
    ]);
    // The rows of the top level, names included, count too: model and messages.
    const most = Math.floor((limit - 5) / 5);
    const withMessages = (count: number) =>
      requestOf(
        `{"model":"auto","messages":[${'{"role":"user","content":"a"},'.repeat(count - 1)}${JSON.stringify(USER)}]}`,
      );
    expect(withMessages(most)).toMatchObject({ problem: null, messages: { length: most } });
    expect(withMessages(most + 1).problem?.message).toBe(
      "Invalid 'messages': too many elements. Allowed: at most 131072 names and values, of which a message of a role and a text is 5 (some 26,000 messages); for a model by its name there is no such limit.",
    );
  });

  test('more of anything else than anyone sends', () => {
    const kwargs = `{${'"a":1,'.repeat(300)}"b":1}`;
    expect(
      requestOf(`{"model":"a","messages":[{"role":"user"}],"chat_template_kwargs":${kwargs}}`).problem,
    ).toMatchObject({
      code: 'array_above_max_length',
      param: 'chat_template_kwargs',
    });
    expect(errorOf(`{"model":"a"${',"x":1'.repeat(5000)}}`).message).toContain('more than 4096 fields');
  });

  test('other paths are not judged', () => {
    expect(problemOf({ model: 'm', messages: 5, stream: 'yes' }, '/v1/embeddings')).toBeNull();
    expect(problemOf({ model: 'm', input: 'x' }, '/v1/responses')).toBeNull();
  });
});

describe('completions', () => {
  const texts = (prompt: unknown): (string | undefined)[] =>
    requestOf({ model: 'm', prompt }, '/v1/completions').messages.flatMap((message) =>
      message.parts.map((part) => part.text),
    );

  test.each<[unknown, string[]]>([
    ['a\nb', ['a\nb']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[1, 2, 3], []],
    [[[1], [2]], []],
  ])('the prompt %j is one user message', (prompt, expected) => {
    expect(texts(prompt)).toEqual(expected);
    expect(requestOf({ model: 'm', prompt }, '/v1/completions?x=1')).toMatchObject({
      kind: 'completions',
      problem: null,
      messages: [{ role: 'user' }],
      messagesSpan: null,
    });
  });

  test.each<[object, string, string]>([
    [{}, 'missing_required_parameter', 'prompt'],
    [{ prompt: 1 }, 'invalid_type', 'prompt'],
    [{ prompt: null }, 'invalid_type', 'prompt'],
    [{ prompt: [] }, 'empty_array', 'prompt'],
    [{ prompt: ['a', {}] }, 'invalid_type', 'prompt[1]'],
  ])('%j is refused', (fields, code, param) => {
    expect(problemOf({ model: 'm', ...fields }, '/v1/completions')).toEqual({ code, param });
  });
});

test('reading the fields alone leaves messages unread', () => {
  const body = Buffer.from('{"model":"a","messages":[{"role":"user","content":"x"}],"reasoning_effort":"low"}');
  const outcome = parseRequest(body, { path: CHAT, maxDepth: 10, read: 'fields' });
  expect(outcome).toMatchObject({
    kind: 'request',
    request: { model: 'a', messages: [], callerReasoning: { effort: 'low' }, problem: null },
  });
});

describe('in steps', () => {
  const pauses = async (body: Uint8Array): Promise<number> => {
    let count = 0;
    const outcome = await parseRequestAsync(body, { path: CHAT, maxDepth: 10_000 }, () => {
      count += 1;
      return Promise.resolve();
    });
    expect(outcome).toEqual(parseRequest(body, { path: CHAT, maxDepth: 10_000 }));
    return count;
  };

  test('a small body is parsed at once', async () => {
    expect(await pauses(Buffer.from(JSON.stringify({ model: 'auto', messages: [USER] })))).toBe(0);
  });

  test.each([
    ['an image', `[{"type":"image_url","image_url":{"url":"${'QUJD'.repeat(1 << 19)}"}}]`],
    ['plain text', `"${'abcdé '.repeat(300_000)}"`],
    ['text with escapes', `"${'line\\n\\u00e9😀'.repeat(150_000)}"`],
  ])('2 MiB of %s give control back at least 8 times a pass', async (_, content) => {
    const count = await pauses(Buffer.from(`{"model":"auto","messages":[{"role":"user","content":${content}}]}`));
    expect(count).toBeGreaterThanOrEqual(14);
  });
});
