import { describe, expect, test } from '@jest/globals';
import { splitModel, stickyKey } from '../../../../src/decision/rules/split.ts';
import { requestOf } from '../fixture.ts';

const SPLIT = { sticky: 'user' as const, weights: { a: 80, b: 20 } };
const everybody = () => true;

function assign(weights: Record<string, number>, users: number, mayServe: (model: string) => boolean = everybody) {
  return Array.from({ length: users }, (_, user) =>
    splitModel({ sticky: 'user', weights }, 'canary', `user-${user}`, mayServe, () => 0),
  );
}

describe('splitModel', () => {
  test('gives each model its share of the keys, and a key always the same model', () => {
    const drawn = assign(SPLIT.weights, 10_000);
    const share = drawn.filter((model) => model === 'b').length / drawn.length;
    // Six standard deviations of a binomial share of .2 over 10,000.
    expect(Math.abs(share - 0.2)).toBeLessThan(0.024);
    expect(assign(SPLIT.weights, 10_000)).toEqual(drawn);
  });

  test('another rule splits the same keys independently', () => {
    const other = Array.from({ length: 1000 }, (_, user) =>
      splitModel(SPLIT, 'other', `user-${user}`, everybody, () => 0),
    );
    const both = assign(SPLIT.weights, 1000).filter((model, user) => model === 'b' && other[user] === 'b').length;
    expect(both).toBeLessThan(90); // 40 expected
  });

  test('a new model takes its keys from the others and moves none between them', () => {
    const before = assign({ a: 80, b: 20 }, 5000);
    const after = assign({ a: 80, b: 20, c: 25 }, 5000);
    expect(after.filter((model, user) => model !== 'c' && model !== before[user])).toEqual([]);
    expect(after.filter((model) => model === 'c').length / 5000).toBeCloseTo(0.2, 1);
  });

  test('a model that may not serve gives its keys away and gets them back', () => {
    const all = assign(SPLIT.weights, 1000);
    const without = assign(SPLIT.weights, 1000, (model) => model !== 'b');
    expect(new Set(without)).toEqual(new Set(['a']));
    expect(assign(SPLIT.weights, 1000)).toEqual(all);
  });

  test.each([
    [0, 'a'],
    [0.79, 'a'],
    [0.81, 'b'],
    [0.999999, 'b'],
  ])('without a key draws by weight: %d', (value, model) =>
    expect(splitModel(SPLIT, 'canary', null, everybody, () => value)).toBe(model),
  );

  test.each([null, 'key'])('with nobody to choose from chooses nobody', (key) => {
    expect(
      splitModel(
        SPLIT,
        's',
        key,
        () => false,
        () => 0,
      ),
    ).toBeNull();
    expect(splitModel({ sticky: 'user', weights: { a: 0 } }, 's', key, everybody, () => 0)).toBeNull();
  });
});

describe('stickyKey', () => {
  const request = requestOf({ user: 'u', promptCacheKey: 'cache', text: 'first' });
  const session = new Map([['x-session-id', 's']]);
  const none = new Map<string, string>();

  test.each([
    ['none', request, session, null],
    ['user', request, session, 'u'],
    ['user', requestOf(), session, null],
    ['session', request, session, 's'],
    ['session', request, none, 'cache'],
    ['session', requestOf({ user: 'u', text: 'first' }), none, 'u'],
    ['session', requestOf({ text: 'first' }), none, 'first'],
    ['session', requestOf({ messages: [] }), none, null],
  ] as const)('%s', (sticky, asked, headers, key) => expect(stickyKey(sticky, asked, headers)).toBe(key));
});
