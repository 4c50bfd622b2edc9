import { afterEach, expect, test } from '@jest/globals';
import type { EndpointConfig } from '../../../src/config/schema.ts';
import { createResolver, type ResolvedAddresses, type Resolver } from '../../../src/execution/resolve.ts';

const endpoint = (name: string, address: string, port = 8000): EndpointConfig => ({ name, address, port, weight: 1 });
const opened: Resolver[] = [];
afterEach(() => opened.splice(0).forEach((resolver) => resolver.close()));

/** A resolver whose DNS is a table; an absent name fails, `hangs` never answers. */
function make(table: Record<string, readonly string[]>, extra: { refreshMs?: number; timeoutMs?: number } = {}) {
  const changes: ResolvedAddresses[] = [];
  const failures: string[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const resolver = createResolver({
    onChange: (addresses) => changes.push(addresses),
    onFailure: (host) => failures.push(host),
    lookup: async (host) => {
      mostAtOnce = Math.max(mostAtOnce, (atOnce += 1));
      await new Promise((resolve) => setTimeout(resolve, host === 'hangs' ? 1e6 : 1).unref());
      atOnce -= 1;
      const found = table[host];
      if (found === undefined) throw new Error('ENOTFOUND');
      return found;
    },
    ...extra,
  });
  opened.push(resolver);
  return { resolver, changes, failures, most: () => mostAtOnce };
}
const until = async (condition: () => boolean): Promise<void> => {
  for (let n = 0; n < 400 && !condition(); n += 1) await new Promise((resolve) => setTimeout(resolve, 5));
};

test('addresses pass through, names are looked up, IPv6 gets brackets', async () => {
  const { resolver, changes } = make({ gpu: ['10.0.0.2', '10.0.0.1', '10.0.0.2'], six: ['fd00::2'] });
  await resolver.watch([
    endpoint('a', '10.9.9.9', 1),
    endpoint('b', 'fd00::1', 2),
    endpoint('c', 'gpu', 3),
    endpoint('d', 'six', 4),
  ]);
  expect(Object.fromEntries(resolver.addresses)).toEqual({
    a: ['10.9.9.9:1'],
    b: ['[fd00::1]:2'],
    c: ['10.0.0.1:3', '10.0.0.2:3'],
    d: ['[fd00::2]:4'],
  });
  expect(changes.at(-1)).toBe(resolver.addresses);
});

test('what needs no lookup is there before a slow name', async () => {
  const { resolver, changes, failures } = make({}, { timeoutMs: 30 });
  const watching = resolver.watch([endpoint('a', '10.0.0.1'), endpoint('b', 'hangs')]);
  expect(Object.fromEntries(changes[0]!)).toEqual({ a: ['10.0.0.1:8000'], b: [] });
  await watching;
  expect(failures).toEqual(['hangs']);
});

test('a name that fails keeps its last good addresses and is reported once', async () => {
  const table: Record<string, readonly string[]> = { gpu: ['10.0.0.1'] };
  const { resolver, changes, failures } = make(table, { refreshMs: 5 });
  await resolver.watch([endpoint('a', 'gpu')]);
  delete table['gpu'];
  await until(() => failures.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(failures).toEqual(['gpu']);
  expect(resolver.addresses.get('a')).toEqual(['10.0.0.1:8000']);
  table['gpu'] = ['10.0.0.7'];
  await until(() => resolver.addresses.get('a')?.[0] === '10.0.0.7:8000');
  expect(resolver.addresses.get('a')).toEqual(['10.0.0.7:8000']);
  expect(changes).toHaveLength(3); // nothing known, the first address, the second
});

test('an answer in another order is no change', async () => {
  const table = { gpu: ['10.0.0.1', '10.0.0.2'] };
  const { resolver, changes } = make(table, { refreshMs: 5 });
  await resolver.watch([endpoint('a', 'gpu')]);
  const before = changes.length;
  table.gpu = ['10.0.0.2', '10.0.0.1'];
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(changes).toHaveLength(before);
});

test('endpoints that left are forgotten', async () => {
  const { resolver } = make({ gpu: ['10.0.0.1'] });
  await resolver.watch([endpoint('a', 'gpu'), endpoint('b', '10.0.0.2')]);
  await resolver.watch([endpoint('b', '10.0.0.2')]);
  expect([...resolver.addresses.keys()]).toEqual(['b']);
});

test('a name has at most 16 addresses, and at most three lookups run at a time', async () => {
  const many = Array.from({ length: 40 }, (_, n) => `10.0.0.${n}`);
  const { resolver, most } = make(Object.fromEntries(many.map((_, n) => [`host-${n}`, many])));
  await resolver.watch(many.map((_, n) => endpoint(`e${n}`, `host-${n}`)));
  expect(resolver.addresses.get('e0')).toHaveLength(16);
  expect(most()).toBe(3);
});

test("the system's resolver knows localhost, IPv4 first", async () => {
  const resolver = createResolver({ onChange: () => undefined });
  opened.push(resolver);
  await resolver.watch([endpoint('a', 'localhost', 80)]);
  expect(resolver.addresses.get('a')).toEqual(['127.0.0.1:80']);
});
