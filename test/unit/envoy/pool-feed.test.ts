import { beforeEach, expect, test } from '@jest/globals';
import type { Registry } from '../../../src/config/registry.ts';
import { createPoolFeed, type FeedAnswer, type PoolFeed } from '../../../src/envoy/pool-feed.ts';
import { registryOf } from './registry-of.ts';

const NEW = '10.0.0.2:8000';
const OLD = '10.0.0.1:8000';
const one = registryOf('vllm_endpoints: [{ name: old, address: 10.0.0.1, port: 8000, models: [a] }]');
const two = registryOf(`vllm_endpoints:
  - { name: old, address: 10.0.0.1, port: 8000, models: [a] }
  - { name: new, address: 10.0.0.2, port: 8000, models: [b] }`);

let nowMs: number;
let feed: PoolFeed;
beforeEach(() => {
  nowMs = 1000;
  feed = createPoolFeed({ clock: () => nowMs });
});

const addressesOf = (registry: Registry): Map<string, string[]> =>
  new Map([...registry.endpoints.values()].map(({ name, address, port }) => [name, [`${address}:${port}`]]));
const update = (registry: Registry): void => feed.update(registry, addressesOf(registry));
/** Polls as an Envoy with `version` would; gives the version that it has after it. */
const poll = (version: string | null): string => {
  const answer = feed.answer(version);
  return answer.kind === 'unchanged' ? version! : versionOf(answer);
};
const versionOf = (answer: FeedAnswer): string => {
  if (answer.kind === 'unchanged') throw new Error('nothing new');
  return answer.response['version_info'] as string;
};

test('a poll gets the clusters, and then nothing new until they change', () => {
  update(one);
  const answer = feed.answer(null);
  expect(answer).toMatchObject({
    kind: 'clusters',
    response: { type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster', resources: [{ name: 'pool' }] },
  });
  const version = versionOf(answer);
  expect(feed.answer(version)).toEqual({ kind: 'unchanged' });
  update(two);
  expect(versionOf(feed.answer(version))).not.toBe(version);
});

test('the version depends on the content alone, so a restarted router changes nothing', () => {
  update(two);
  const version = poll(null);
  const restarted = createPoolFeed({ clock: () => nowMs });
  restarted.update(two, addressesOf(two));
  expect(restarted.answer(version)).toEqual({ kind: 'unchanged' });
});

test('before the first poll every endpoint counts as known', () => {
  update(one);
  update(two);
  expect(feed.isKnown(NEW)).toBe(true);
});

test('a new endpoint is known when Envoy polls with a version that holds it', () => {
  update(one);
  let version = poll(null);
  version = poll(version);
  update(two);
  expect(feed.isKnown(NEW)).toBe(false);
  expect(feed.isKnown(OLD)).toBe(true);
  expect(feed.known(addressesOf(two)).get('new')).toEqual([]);
  version = poll(version); // was given the new version, may not have it in use yet
  expect(feed.isKnown(NEW)).toBe(false);
  nowMs += 1201; // the old version was not polled with for that long
  poll(version);
  expect(feed.isKnown(NEW)).toBe(true);
});

test('of several Envoys the slowest counts', () => {
  update(one);
  const first = poll(null);
  update(two);
  const second = poll(first);
  nowMs += 1000;
  poll(second);
  poll(first); // another Envoy, that rejects or lags
  nowMs += 1000;
  poll(second);
  expect(feed.isKnown(NEW)).toBe(false);
  nowMs += 1000;
  poll(second);
  expect(feed.isKnown(NEW)).toBe(true);
});

test('an Envoy that starts does not take endpoints from the others', () => {
  update(two);
  poll(poll(null));
  poll(null);
  poll('a version of another router');
  expect(feed.isKnown(NEW)).toBe(true);
});

test('when nobody polls any more, everything counts as known again', () => {
  update(one);
  poll(poll(null));
  update(two);
  expect(feed.isKnown(NEW)).toBe(false);
  nowMs += 1201;
  expect(feed.isKnown(NEW)).toBe(true);
});

test('an endpoint that left stays in the pool for ten seconds', () => {
  update(two);
  const both = poll(null);
  update(one);
  expect(poll(both)).toBe(both);
  nowMs += 9999;
  expect(poll(both)).toBe(both);
  nowMs += 1;
  const after = poll(both);
  expect(after).not.toBe(both);
  update(one);
  expect(poll(after)).toBe(after);
});

test('an endpoint that came back does not leave', () => {
  update(two);
  const both = poll(null);
  update(one);
  nowMs += 5000;
  update(two);
  nowMs += 60_000;
  expect(poll(both)).toBe(both);
});

test('polls with made-up versions take no memory and change nothing', () => {
  update(two);
  const version = poll(null);
  for (let n = 0; n < 10_000; n += 1) feed.answer(`made up ${n}`);
  expect(feed.isKnown(NEW)).toBe(true);
  expect(feed.answer(version)).toEqual({ kind: 'unchanged' });
});
