import { describe, expect, test } from '@jest/globals';
import { discoveryType, formatHostPort, parseHostPort, reachable } from '../../../src/envoy/address.ts';

describe('parseHostPort', () => {
  test.each([
    ['127.0.0.1:8801', { host: '127.0.0.1', port: 8801 }],
    ['router.internal:50051', { host: 'router.internal', port: 50051 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['0.0.0.0:65535', { host: '0.0.0.0', port: 65535 }],
  ])('%s', (text, expected) => expect(parseHostPort(text)).toEqual(expected));

  test.each(['8801', ':8801', 'host:', 'host:65536', '::1:80', '[::1]', '[host]:80', 'host:8o', 'a b:80:90'])(
    '%s is refused',
    (text) => expect(parseHostPort(text)).toBeNull(),
  );

  test.each(['10.0.0.1:80', '[fd00::1]:8000', 'a.b:1'])('%s is printed as it was read', (text) => {
    expect(formatHostPort(parseHostPort(text)!)).toBe(text);
  });
});

test.each([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
  ['10.1.2.3', '10.1.2.3'],
  ['router', 'router'],
])('something that listens on %s is reached at %s', (host, expected) => {
  expect(reachable({ host, port: 1 })).toEqual({ host: expected, port: 1 });
});

test('addresses need no DNS; one name among them does', () => {
  expect(discoveryType(['10.0.0.1', '::1'])).toEqual({ type: 'STATIC' });
  expect(discoveryType(['10.0.0.1', 'gpu-1'])).toMatchObject({ type: 'STRICT_DNS' });
});
