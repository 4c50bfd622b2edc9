import { describe, expect, test } from '@jest/globals';
import { readMessage } from '../../../src/extproc/wire-read.ts';
import type { WireRequest, WireValue } from '../../../src/extproc/wire-types.ts';

const header = (key: string, text: string): object => ({ key, raw_value: Buffer.from(text) });

function start(message: WireRequest): { headers: object; attributes: object; metadata: object } {
  const event = readMessage(message);
  if (event.kind !== 'request_headers' && event.kind !== 'response_headers') throw new Error(event.kind);
  return {
    headers: Object.fromEntries(event.headers),
    attributes: Object.fromEntries(event.attributes),
    metadata: Object.fromEntries(event.metadata),
  };
}

const withHeaders = (...headers: object[]): WireRequest => ({
  request: 'request_headers',
  request_headers: { headers: { headers } },
});

describe('headers', () => {
  test.each([
    ['raw values', [header(':path', '/v1'), header('x-a', 'b')], { ':path': '/v1', 'x-a': 'b' }],
    ['names in lower case', [header('X-Request-Id', 'r')], { 'x-request-id': 'r' }],
    ['a repeated header is joined', [header('x-a', '1'), header('X-A', '2'), header('x-a', '3')], { 'x-a': '1, 2, 3' }],
    ['value where there is no raw_value', [{ key: 'x-a', value: 'old' }], { 'x-a': 'old' }],
    ['an empty header', [{ key: 'x-a' }], { 'x-a': '' }],
    ['a nameless header is dropped', [header('', 'x'), {}], {}],
    ['UTF-8', [header('x-a', 'größe')], { 'x-a': 'größe' }],
  ])('%s', (_name, headers, expected) => {
    expect(start(withHeaders(...headers)).headers).toEqual(expected);
  });

  test('__proto__ is a name like any other', () => {
    const event = readMessage(withHeaders(header('__proto__', 'x')));
    expect(event.kind === 'request_headers' && event.headers.get('__proto__')).toBe('x');
  });
});

describe('body mode', () => {
  test.each([
    ['nothing said', undefined, 'chunks'],
    ['NONE is left out on the wire', {}, 'none'],
    ['NONE', { request_body_mode: 'NONE' }, 'none'],
    ['STREAMED', { request_body_mode: 'STREAMED' }, 'chunks'],
    ['BUFFERED', { request_body_mode: 'BUFFERED' }, 'whole'],
    ['BUFFERED_PARTIAL may be cut', { request_body_mode: 'BUFFERED_PARTIAL' }, 'unsupported'],
    ['FULL_DUPLEX_STREAMED', { request_body_mode: 'FULL_DUPLEX_STREAMED' }, 'unsupported'],
    ['a mode of the future', { request_body_mode: 17 }, 'unsupported'],
  ])('%s', (_name, protocol_config, expected) => {
    const message = { ...withHeaders(), ...(protocol_config === undefined ? {} : { protocol_config }) };
    expect(readMessage(message)).toMatchObject({ bodyMode: expected, endOfStream: false });
  });
});

describe('attributes and metadata', () => {
  const deep = (levels: number): WireValue =>
    levels === 0 ? { stringValue: 'x' } : { listValue: { values: [deep(levels - 1)] } };

  test('attributes of every filter are flattened into text', () => {
    const { attributes } = start({
      ...withHeaders(),
      attributes: {
        'envoy.filters.http.ext_proc': {
          fields: {
            'upstream.address': { stringValue: '10.0.0.1:8000' },
            'upstream.request_attempt_count': { numberValue: 2 },
            'connection.mtls': { boolValue: false },
            'xds.list': { listValue: { values: [{ numberValue: 1 }, { stringValue: 'a' }] } },
            'response.flags': { nullValue: 'NULL_VALUE' },
          },
        },
        other: { fields: { 'request.size': { numberValue: 7 } } },
        empty: {},
      },
    });
    expect(attributes).toEqual({
      'upstream.address': '10.0.0.1:8000',
      'upstream.request_attempt_count': '2',
      'connection.mtls': 'false',
      'xds.list': '[1,"a"]',
      'request.size': '7',
    });
  });

  test('metadata keeps its shape by namespace', () => {
    const { metadata } = start({
      request: 'response_headers',
      response_headers: {},
      metadata_context: {
        filter_metadata: {
          'envoy.lb': { fields: { 'x-gateway-destination-endpoint': { stringValue: 'a:1,b:2' } } },
          switchyard: {
            fields: {
              edits: { structValue: { fields: { n: { numberValue: 1 }, on: { boolValue: true } } } },
              none: { nullValue: 'NULL_VALUE' },
              empty: {},
            },
          },
          bare: {},
        },
      },
    });
    expect(metadata).toEqual({
      'envoy.lb': { 'x-gateway-destination-endpoint': 'a:1,b:2' },
      switchyard: { edits: { n: 1, on: true }, none: null, empty: null },
      bare: {},
    });
  });

  test('values deeper than 32 levels read as null', () => {
    const { metadata } = start({
      ...withHeaders(),
      metadata_context: { filter_metadata: { n: { fields: { ok: deep(31), deep: deep(40) } } } },
    });
    const text = JSON.stringify(metadata);
    expect(text).toContain('"x"');
    expect(text).toContain('null');
    expect(text.match(/"x"/g)).toHaveLength(1);
  });
});

test.each([
  [
    { request: 'request_body', request_body: { body: Buffer.from('a'), end_of_stream: true } },
    { kind: 'request_body', endOfStream: true },
  ],
  [
    { request: 'request_body', request_body: {} },
    { kind: 'request_body', endOfStream: false, body: new Uint8Array(0) },
  ],
  [{ request: 'response_body' }, { kind: 'response_body', endOfStream: false, body: new Uint8Array(0) }],
  [{ request: 'request_trailers', request_trailers: {} }, { kind: 'request_trailers' }],
  [{ request: 'response_trailers' }, { kind: 'response_trailers' }],
  [
    { request: 'response_headers', response_headers: { end_of_stream: true } },
    { kind: 'response_headers', endOfStream: true },
  ],
  [{}, { kind: 'unknown_message' }],
  [{ request: 'something_new' }, { kind: 'unknown_message' }],
])('message %#', (message, expected) => {
  expect(readMessage(message)).toMatchObject(expected);
});
