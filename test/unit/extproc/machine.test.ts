import { describe, expect, test } from '@jest/globals';
import { MAX_OWED } from '../../../src/extproc/machine-request.ts';
import type { StreamRole } from '../../../src/extproc/machine.ts';
import type { TestEvent } from './streams.ts';
import {
  body,
  cancelled,
  failOpen,
  forward,
  halfClosed,
  play,
  replyOutcome,
  requestHeaders,
  responseBody,
  responseHeaders,
  responseTrailers,
  routed,
  SETTINGS,
  told,
  trailers,
  unknown,
} from './streams.ts';

const headers = requestHeaders();
const chunked = requestHeaders({ bodyMode: 'chunks' });
const get = requestHeaders({ method: 'GET', endOfStream: true });

/** Each row: what happens, and after each event the effects of the last one. */
type Row = [name: string, events: TestEvent[], last: string[]];

function table(role: StreamRole, rows: Row[]): void {
  test.each(rows)('%s', (_name, events, last) => {
    const { steps } = play(role, events);
    expect(steps.at(-1)?.map(told)).toEqual(last);
  });
}

describe('route: headers', () => {
  table('route', [
    ['a POST is answered and its body awaited', [headers], ['answer request_headers']],
    ['a GET is decided from its headers', [get], ['decide_headers']],
    ['a GET with a body waits for it', [requestHeaders({ method: 'GET' })], ['answer request_headers']],
    ['a POST that ends with its headers has an empty body', [requestHeaders({ endOfStream: true })], ['route ']],
    ['PUT and PATCH too', [requestHeaders({ method: 'PATCH', endOfStream: true })], ['route ']],
    [
      'a DELETE without a body is decided from its headers',
      [requestHeaders({ method: 'DELETE', endOfStream: true })],
      ['decide_headers'],
    ],
    ['body mode none: no body will come', [requestHeaders({ bodyMode: 'none' })], ['decide_headers']],
    ['a body mode with another protocol', [requestHeaders({ bodyMode: 'unsupported' })], ['fail unimplemented']],
    [
      'a declared body at the limit',
      [requestHeaders({ headers: { 'content-length': '100' } })],
      ['answer request_headers'],
    ],
    ['a declared body over the limit', [requestHeaders({ headers: { 'content-length': '101' } })], ['reply 413']],
    [
      'a content-length that is no number',
      [requestHeaders({ headers: { 'content-length': '1e9' } })],
      ['answer request_headers'],
    ],
    [
      'a decision without context asks for nothing more',
      [get, routed(forward(null))],
      ['answer request_headers mutate skip:bodies_and_response'],
    ],
    [
      'a decision with context sees the response',
      [get, routed(forward(null, 'c'))],
      ['answer request_headers mutate skip:bodies'],
    ],
  ]);

  test('needsBody says no: the body stays in Envoy', () => {
    const { all } = play('route', [headers, routed(forward(null))], { ...SETTINGS, needsBody: () => false });
    expect(all.map(told)).toEqual(['decide_headers', 'answer request_headers mutate skip:bodies_and_response']);
  });
});

describe('route: body', () => {
  table('route', [
    ['the whole body starts the pipeline', [headers, body('{}')], ['route {}']],
    [
      'a buffered body whose trailers follow is whole without end of stream',
      [headers, body('{}', false)],
      ['route {}'],
    ],
    ['a chunk that is not the last is cleared at once', [chunked, body('{', false)], ['answer request_body clear']],
    [
      'the last chunk starts the pipeline with all of them',
      [chunked, body('{', false), body('"', false), body('}')],
      ['route {"}'],
    ],
    ['an empty last chunk', [chunked, body('{}', false), body('')], ['route {}']],
    ['no bytes at all', [chunked, body('')], ['route ']],
    ['a body at the limit', [chunked, body('x'.repeat(60), false), body('x'.repeat(40))], [`route ${'x'.repeat(100)}`]],
    ['a body over the limit', [headers, body('x'.repeat(101))], ['reply 413']],
    [
      'chunks over the limit together',
      [chunked, body('x'.repeat(60), false), body('x'.repeat(41), false)],
      ['reply 413'],
    ],
    ['forward', [headers, body('{}'), routed(forward())], ['answer request_body mutate=new']],
    ['forward leaves a whole body alone', [headers, body('{}'), routed(forward(null))], ['answer request_body mutate']],
    [
      'forward brings cleared chunks back',
      [chunked, body('ab', false), body('c'), routed(forward(null))],
      ['answer request_body mutate=abc'],
    ],
    ['a single chunk was not cleared', [chunked, body('abc'), routed(forward(null))], ['answer request_body mutate']],
    ['reply', [headers, body('{}'), routed(replyOutcome())], ['reply 404']],
    ['reply with a context', [headers, body('{}'), routed(replyOutcome('c'))], ['reply 404', 'finished c replied']],
    [
      'fail_open lets the request go on undecided',
      [headers, body('{}'), routed(failOpen())],
      ['failed_open', 'answer request_body'],
    ],
    [
      'fail_open for a request without a body',
      [get, routed(failOpen())],
      ['failed_open', 'answer request_headers skip:bodies_and_response'],
    ],
    [
      'fail_open is impossible once chunks are gone',
      [chunked, body('a', false), body('b'), routed(failOpen('c'))],
      ['reply 503', 'finished c replied'],
    ],
    [
      'no room for the body',
      [headers, { kind: 'refused', reply: { kind: 'reply', status: 503, headers: [], body: '' } }],
      ['reply 503'],
    ],
  ]);
});

describe('route: trailers', () => {
  table('route', [
    ['after the decision', [headers, body('{}'), routed(forward()), trailers], ['answer request_trailers']],
    ['while deciding they wait', [headers, body('{}', false), trailers], []],
    [
      'and are answered after the body',
      [headers, body('{}', false), trailers, routed(forward())],
      ['answer request_body mutate=new', 'answer request_trailers'],
    ],
    ['instead of a body: it is empty', [headers, trailers], ['route ']],
    [
      'a decision cannot be carried out on trailers',
      [headers, trailers, routed(forward(null, 'c'))],
      ['reply 503', 'finished c replied'],
    ],
    ['a reply can', [headers, trailers, routed(replyOutcome())], ['reply 404']],
    ['fail_open can', [headers, trailers, routed(failOpen())], ['failed_open', 'answer request_trailers']],
    ['after cleared chunks there is nothing to answer with', [chunked, body('a', false), trailers], ['reply 400']],
  ]);
});

describe('route: response', () => {
  const decided = [headers, body('{}'), routed(forward('new', 'c'))];
  table('route', [
    ['headers are answered for the context', [...decided, responseHeaders()], ['answer response_headers for c']],
    ['headers of a reply that Envoy made itself', [headers, responseHeaders()], ['answer response_headers for nobody']],
    ['even while deciding', [headers, body('{}'), responseHeaders()], ['answer response_headers for nobody']],
    ['even before anything', [responseHeaders()], ['answer response_headers for nobody']],
    ['body', [...decided, responseBody('x', false)], ['answer response_body']],
    ['trailers', [...decided, responseTrailers], ['answer response_trailers']],
  ]);
});

describe('route: out of place', () => {
  const decided = [headers, body('{}'), routed(forward())];
  table('route', [
    ['a body before headers', [body('{}')], ['unexpected request_body', 'answer request_body']],
    ['headers twice', [headers, headers], ['unexpected request_headers', 'answer request_headers']],
    ['headers while deciding wait their turn', [headers, body('{}'), headers], ['unexpected request_headers']],
    ['a body after the decision', [...decided, body('x')], ['unexpected request_body', 'answer request_body']],
    ['trailers before headers', [trailers], ['answer request_trailers']],
    ['an outcome that nobody asked for', [headers, routed(forward('x', 'c'))], ['finished c cancelled']],
    ['a second outcome', [...decided, routed(forward('x', 'late'))], ['finished late cancelled']],
    ['a message of an unknown kind', [unknown], ['fail unimplemented']],
    ['an unknown message while deciding', [headers, body('{}'), unknown], ['fail unimplemented', 'abort']],
  ]);

  test('what waits behind a decision is bounded', () => {
    const flood = Array.from({ length: MAX_OWED }, () => body('x'));
    const { steps } = play('route', [headers, body('{}'), ...flood, body('x')]);
    expect(steps.at(-2)?.map(told)).toEqual(['unexpected request_body']);
    expect(steps.at(-1)?.map(told)).toEqual(['unexpected request_body', 'fail resource_exhausted', 'abort']);
  });
});

describe('route: the end', () => {
  const decided = [headers, body('{}'), routed(forward('new', 'c'))];
  table('route', [
    ['half-close before anything', [halfClosed], ['end']],
    ['half-close in the middle of a body', [chunked, body('x', false), halfClosed], ['end']],
    ['half-close while deciding: nobody waits', [headers, body('{}'), halfClosed], ['fail cancelled', 'abort']],
    ['half-close after the response', [...decided, responseHeaders(), halfClosed], ['end', 'finished c completed']],
    ['half-close before a response', [...decided, halfClosed], ['end', 'finished c cancelled']],
    ['half-close after a reply', [headers, body('{}'), routed(replyOutcome()), halfClosed], ['end']],
    ['half-close after a failure', [unknown, halfClosed], []],
    ['half-close twice', [halfClosed, halfClosed], []],
    ['reset while deciding', [headers, body('{}'), cancelled], ['abort']],
    ['reset before a response', [...decided, cancelled], ['finished c cancelled']],
    [
      'reset after the response, as without graceful close',
      [...decided, responseHeaders(), cancelled],
      ['finished c completed'],
    ],
    [
      'an outcome after a reset',
      [headers, body('{}'), cancelled, routed(forward('x', 'late'))],
      ['finished late cancelled'],
    ],
    ['an outcome without context after a reset', [headers, body('{}'), cancelled, routed(forward())], []],
    ['messages after a reply', [headers, body('{}'), routed(replyOutcome()), responseHeaders()], []],
    ['messages after a reset', [cancelled, headers], []],
  ]);
});

describe('retry', () => {
  const attempt = requestHeaders({
    headers: { 'x-envoy-attempt-count': '3' },
    attributes: { 'upstream.address': '10.0.0.2:8000' },
  });
  table('retry', [
    ['headers are answered and the body awaited', [attempt], ['answer request_headers']],
    ['the body is written for the endpoint', [attempt, body('{}')], ['rewrite_for 10.0.0.2:8000 #3 {}']],
    ['Envoy did not say where to', [headers, body('{}')], ['rewrite_for  #1 {}']],
    [
      'an attempt that is no number',
      [requestHeaders({ headers: { 'x-envoy-attempt-count': '-2' } }), body('{}')],
      ['rewrite_for  #1 {}'],
    ],
    ['forward', [attempt, body('{}'), routed(forward())], ['answer request_body mutate=new']],
    [
      'fail_open fails the attempt: the body is for another model',
      [attempt, body('{}'), routed(failOpen('c'))],
      ['fail unavailable', 'finished c failed'],
    ],
    ['without a body there is nothing to write', [get], ['answer request_headers skip:bodies_and_response']],
    ['reply', [attempt, body('{}'), routed(replyOutcome())], ['reply 404']],
    ['reset', [attempt, body('{}'), cancelled], ['abort']],
  ]);
});

describe('check', () => {
  table('check', [
    ['an answer begins', [responseHeaders()], ['answer response_headers of 200']],
    ['its body', [responseHeaders(), responseBody('{}')], ['answer checked {}.']],
    ['a body that is not all of it', [responseHeaders(), responseBody('{', false)], ['answer checked {']],
    ['a body without headers', [responseBody('{}')], ['answer response_body']],
    ['trailers', [responseHeaders(), responseTrailers], ['answer response_trailers']],
    ['a request', [headers], ['unexpected request_headers', 'answer request_headers']],
    ['a request body', [body('{}')], ['unexpected request_body', 'answer request_body']],
    ['an unknown message', [unknown], ['fail unimplemented']],
    ['a half-close', [responseHeaders(), halfClosed], ['end']],
    ['a reset', [responseHeaders(), cancelled], []],
    ['nothing after the end', [responseHeaders(), halfClosed, responseBody('{}')], []],
    ['nothing after a reset', [cancelled, responseHeaders()], []],
    ['an outcome that nobody asked for', [routed(forward())], []],
  ]);
});

describe('observe', () => {
  table('observe', [
    ['a request', [headers], ['request']],
    ['a response', [responseHeaders()], ['response']],
    ['a response without a body', [responseHeaders(true)], ['response', 'end complete']],
    ['the first byte', [responseBody('a', false)], ['first_byte', 'chunk a']],
    ['an empty chunk is no byte', [responseBody('', false)], ['chunk ']],
    ['the second chunk', [responseBody('a', false), responseBody('b', false)], ['chunk b']],
    ['the last chunk', [responseBody('a', false), responseBody('b')], ['chunk b.', 'end complete']],
    ['trailers end a response', [responseBody('a', false), responseTrailers], ['end complete']],
    ['a reset after the end', [responseBody('a'), cancelled], []],
    ['a reset before the end', [responseBody('a', false), cancelled], ['end cut']],
    ['a half-close before the end', [responseHeaders(), halfClosed], ['end cut', 'end']],
    ['a stream that told nothing', [cancelled], []],
    ['request bodies are nothing to it', [body('{}')], []],
    ['nothing after the end', [responseBody('a'), responseBody('b'), responseHeaders()], []],
    ['unknown messages are skipped', [unknown], []],
  ]);
});
