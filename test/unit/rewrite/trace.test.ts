import { expect, test } from '@jest/globals';
import { withMember } from '../../../src/rewrite/trace.ts';

const joined = (body: Uint8Array): string | null => {
  const made = withMember(body, 'x', { a: 1 });
  return made === null ? null : Buffer.from(made).toString();
};

test.each([
  ['{}', '{"x":{"a":1}}'],
  ['{ "n":1.0, "id": 12345678901234567890 }\n', '{ "n":1.0, "id": 12345678901234567890,"x":{"a":1}}\n'],
  ['[1]', null],
  ['{', null],
  ['', null],
])('%j', (body, expected) => {
  expect(joined(Buffer.from(body))).toBe(expected);
});

test('bytes that are no UTF-8 stay as the endpoint wrote them', () => {
  expect(joined(Buffer.from('{"text":"\xff"}', 'latin1'))).toBeNull();
});
