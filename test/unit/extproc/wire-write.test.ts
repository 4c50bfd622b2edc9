import { describe, expect, test } from '@jest/globals';
import type { Change, Phase } from '../../../src/extproc/machine.ts';
import { tooLargeReply } from '../../../src/extproc/replies.ts';
import type { WireCommon } from '../../../src/extproc/wire-types.ts';
import { writeAnswer, writeChecked, writeReply, writeResponseHeaders } from '../../../src/extproc/wire-write.ts';
import type { Mutations } from '../../../src/rewrite/mutations.ts';

const NONE: Mutations = { body: null, setHeaders: [], removeHeaders: [], metadata: {} };
const mutate = (mutations: Partial<Mutations>): Change => ({ kind: 'mutate', mutations: { ...NONE, ...mutations } });

function common(phase: Phase, change: Change): WireCommon {
  const answer = writeAnswer(phase, change, 'nothing');
  const part = answer[phase];
  if (part === undefined || !('response' in part)) throw new Error('no common response');
  return part.response;
}

/** Set headers as [name, value] pairs. */
const pairs = (response: WireCommon): [string, string][] =>
  (response.header_mutation?.set_headers ?? []).map(({ header }) => [
    header.key,
    Buffer.from(header.raw_value).toString(),
  ]);

describe('answers that are checked', () => {
  test('a check sets headers and metadata, and never the body', () => {
    const outcome = {
      setHeaders: [{ name: 'x-mark', value: 'empty' }],
      removeHeaders: ['x-gone'],
      metadata: { space: { '1': 'note' } },
    };
    const answer = writeChecked(outcome);
    const response = answer.response_body?.response;
    expect(pairs(response ?? {})).toEqual([['x-mark', 'empty']]);
    expect(response?.header_mutation?.remove_headers).toEqual(['x-gone']);
    expect(response).not.toHaveProperty('body_mutation');
    expect(response).not.toHaveProperty('clear_route_cache');
    expect(answer.dynamic_metadata?.fields?.['space']?.structValue?.fields?.['1']).toEqual({ stringValue: 'note' });
  });

  test('nothing to say is an empty continue', () => {
    expect(writeChecked(null)).toEqual({
      response_body: { response: {} },
    });
  });
});

describe('mutations', () => {
  test('a new body brings its length in bytes, whatever length was set beside it', () => {
    const body = Buffer.from('größe');
    const response = common(
      'request_body',
      mutate({
        body,
        setHeaders: [
          { name: 'X-A', value: 'b' },
          { name: 'Content-Length', value: '1' },
        ],
        removeHeaders: ['content-length', 'X-Gone'],
      }),
    );
    expect(pairs(response)).toEqual([
      ['x-a', 'b'],
      ['content-length', '7'],
    ]);
    expect(response.header_mutation?.remove_headers).toEqual(['x-gone']);
    expect(response.body_mutation).toEqual({ body });
    expect(response.clear_route_cache).toBe(true);
  });

  test('an empty body is a cleared one', () => {
    const response = common('request_body', mutate({ body: new Uint8Array(0) }));
    expect(response.body_mutation).toEqual({ clear_body: true });
    expect(pairs(response)).toEqual([['content-length', '0']]);
  });

  test('headers alone leave body and length alone', () => {
    const response = common('request_body', mutate({ setHeaders: [{ name: 'x-a', value: 'b' }] }));
    expect(response.body_mutation).toBeUndefined();
    expect(pairs(response)).toEqual([['x-a', 'b']]);
    expect(response.clear_route_cache).toBe(true);
  });

  test('without a header mutation the route cache stays: Envoy would ignore it', () => {
    expect(common('request_body', mutate({}))).toEqual({});
  });

  test('values travel as raw_value, and overwrite', () => {
    const option = common('request_body', mutate({ setHeaders: [{ name: 'x-a', value: 'b' }] })).header_mutation
      ?.set_headers?.[0];
    expect(option).toEqual({
      header: { key: 'x-a', raw_value: Buffer.from('b') },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    });
  });

  test('control characters cannot split a header', () => {
    const response = common('request_body', mutate({ setHeaders: [{ name: 'x-a', value: 'a\r\nb: c\0\td\u007f' }] }));
    expect(pairs(response)).toEqual([['x-a', 'a  b: c \td ']]);
  });

  test('at the headers a body replaces the one to come', () => {
    expect(common('request_headers', mutate({ body: Buffer.from('x') })).status).toBe('CONTINUE_AND_REPLACE');
    expect(common('request_headers', mutate({})).status).toBeUndefined();
    expect(common('request_body', mutate({ body: Buffer.from('x') })).status).toBeUndefined();
  });

  test('metadata is a Struct of namespaces', () => {
    const answer = writeAnswer(
      'request_body',
      mutate({ metadata: { 'envoy.lb': { k: 'v' }, switchyard: {} } }),
      'nothing',
    );
    expect(answer.dynamic_metadata).toEqual({
      fields: {
        'envoy.lb': { structValue: { fields: { k: { stringValue: 'v' } } } },
        switchyard: { structValue: { fields: {} } },
      },
    });
    expect(writeAnswer('request_body', mutate({}), 'nothing')).not.toHaveProperty('dynamic_metadata');
  });
});

describe('answers', () => {
  test.each<Phase>(['request_headers', 'request_body', 'response_headers', 'response_body'])('empty %s', (phase) => {
    expect(writeAnswer(phase, { kind: 'none' }, 'nothing')).toEqual({ [phase]: { response: {} } });
  });

  test.each<Phase>(['request_trailers', 'response_trailers'])('%s carry nothing', (phase) => {
    expect(writeAnswer(phase, mutate({ body: Buffer.from('x') }), 'nothing')).toEqual({ [phase]: {} });
  });

  test('clear', () => {
    expect(common('request_body', { kind: 'clear_body' })).toEqual({ body_mutation: { clear_body: true } });
  });

  test('mode overrides', () => {
    const none = { kind: 'none' } as const;
    expect(writeAnswer('request_headers', none, 'bodies').mode_override).toEqual({
      response_header_mode: 'SEND',
      request_body_mode: 'NONE',
      response_body_mode: 'NONE',
    });
    expect(writeAnswer('request_headers', none, 'bodies_and_response').mode_override).toEqual({
      response_header_mode: 'SKIP',
      request_body_mode: 'NONE',
      response_body_mode: 'NONE',
    });
    expect(writeAnswer('request_headers', none, 'nothing')).not.toHaveProperty('mode_override');
  });

  test('response headers are set without touching the route', () => {
    expect(writeResponseHeaders([])).toEqual({ response_headers: { response: {} } });
    const { response } = writeResponseHeaders([{ name: 'x-vsr-selected-model', value: 'm' }]).response_headers ?? {};
    expect(pairs(response ?? {})).toEqual([['x-vsr-selected-model', 'm']]);
    expect(response).not.toHaveProperty('clear_route_cache');
  });

  test('a reply is an immediate response in the shape of OpenAI errors', () => {
    const answer = writeReply(tooLargeReply(100)).immediate_response;
    expect(answer?.status).toEqual({ code: 413 });
    expect(JSON.parse(Buffer.from(answer?.body ?? []).toString())).toEqual({
      error: {
        message: expect.stringContaining('100 bytes'),
        type: 'invalid_request_error',
        param: null,
        code: 'request_too_large',
      },
    });
    expect(answer?.headers.set_headers?.map(({ header }) => header.key)).toEqual(['content-type']);
  });
});
