import { expect, test } from '@jest/globals';
import { readAttempts } from '../../../src/execution/attempts.ts';
import { lastErrorOf } from '../../../src/execution/last-error.ts';
import { planOf } from './targets.ts';

const { targets } = planOf('a@1', 'b@2', 'c@3');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function last(notes: Readonly<Record<string, string>>, count = 3) {
  const seen = { notes, count, status: 503, details: 'upstream_reset_before_response_started{…}', nowMs: 9, firstByteMs: 1000 }; // prettier-ignore
  return lastErrorOf(readAttempts(targets, seen), notes['error']);
}

test('the newest error with its own words', () => {
  const error = ['2', '7', 'application/json', base64('{"error":"ü"}')].join('\n');
  expect(last({ '1': '1 2 500 - -', '2': '3 4 429 7 -', '3': '5', error })).toEqual({
    model: 'b',
    status: 429,
    retryAfter: '7',
    contentType: 'application/json',
    body: '{"error":"ü"}',
  });
});

test('Retry-After may be a date', () => {
  const error = ['1', 'Wed, 21 Oct 2026 07:28:00 GMT', '', ''].join('\n');
  expect(last({ '1': '1 2 503 - -', '2': '3', error }, 2)).toMatchObject({
    status: 503,
    retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT',
    body: '',
  });
});

test.each([
  ['words of an earlier attempt', ['1', '9', 'text/plain', base64('old')].join('\n')],
  ['no words', undefined],
  ['something else', '{}'],
])('%s are not those of the newest error', (_, error) => {
  expect(last({ '1': '1 2 500 - -', '2': '3 4 429 5 -', '3': '5', ...(error === undefined ? {} : { error }) })).toEqual(
    {
      model: 'b',
      status: 429,
      retryAfter: '5',
      contentType: '',
      body: '',
    },
  );
});

test('nobody answered', () => {
  expect(last({ '1': '1', '2': '3', '3': '5' })).toBeNull();
  expect(last({})).toBeNull();
});
