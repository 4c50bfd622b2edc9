import { expect, test } from '@jest/globals';
import {
  asTried,
  CARRIED_KEY,
  CARRIED_NAMESPACE,
  carriedIn,
  encodeCarried,
  targetOf,
  type Carried,
} from '../../../src/rewrite/carried.ts';
import { planOf } from '../execution/targets.ts';

/** Targets by `model@address`; those with a `+` have a larger window. */
function carriedOf(...texts: readonly string[]): Carried {
  const { targets } = planOf(...texts.map((text) => text.replace('+', '')));
  return {
    targets: targets.map((target, index) => ({
      ...target,
      reasoningTold: false,
      largerWindow: texts[index]?.endsWith('+') ?? false,
    })),
    untouched: false,
    note: '',
    callerReasoningWins: true,
    keyed: false,
    category: '',
    requestId: '',
    startedMs: 0,
  };
}
const names = ({ targets }: Carried): string => targets.map(({ model, address }) => `${model}@${address}`).join(' ');
const TOO_LONG = { '1': '1 2 400 - context_length', larger: '1' };

test.each([
  ['a@1 a@2 b@3+ c@4 d@5+', TOO_LONG, 'a@1 b@3 d@5'],
  ['a@1 a@2 b@3+', { '1': '1 2 503 - -', '2': TOO_LONG['1'] }, 'a@1 a@2 b@3'],
  ['a@1 a@2 b@3+', { '1': '1' }, 'a@1 a@2 b@3'],
  ['a@1 a@2', TOO_LONG, 'a@1 a@2'],
  ['a@1 a@2 b@3+', {}, 'a@1 a@2 b@3'],
  ['a@1 a@2 b@3+', { '1': TOO_LONG['1'] }, 'a@1 a@2 b@3'],
  ['a@1 a@2 b@3+', { larger: 7 }, 'a@1 a@2 b@3'],
])('%s after %j: Envoy goes through %s', (targets, notes, expected) => {
  expect(names(asTried(carriedOf(...targets.split(' ')), notes))).toBe(expected);
});

test('an address that serves two models is told by the attempt', () => {
  const carried = asTried(carriedOf('a@1', 'b@2', 'c@2+'), TOO_LONG);
  expect(targetOf(carried, '2', 2)?.model).toBe('c');
  expect(targetOf(carriedOf('a@1', 'b@2', 'c@2+'), '2', 2)?.model).toBe('b');
});

test('travels as metadata; what is not ours, or of another version, reads as nothing', () => {
  const carried = carriedOf('a@1', 'b@2+');
  const metadata = (plan: unknown) => new Map([[CARRIED_NAMESPACE, { [CARRIED_KEY]: plan }]]);
  expect(carriedIn(metadata(encodeCarried(carried)))).toEqual(carried);
  const older = encodeCarried(carried).replaceAll('"largerWindow"', '"other"');
  for (const text of [older, '{}', '[', 7, undefined]) expect(carriedIn(metadata(text))).toBeNull();
  expect(carriedIn(new Map())).toBeNull();
});
