import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEncoder, type RunningEncoder } from '../../../src/ml/encoder.ts';
import { argmax } from '../../../src/ml/heads.ts';
import { judgedText } from '../../../src/signals/judged-text.ts';
import { CHANGES, CONVERSATIONS, GENERIC_FOLLOW_UPS, type Conversation } from './conversations.ts';
import { chat, message } from './requests.ts';

let encoder: RunningEncoder;
beforeAll(async () => {
  encoder = await createEncoder({ bundleDir: 'models/switchyard-minilm', useCpu: true, queueLimit: 10_000 });
});
afterAll(() => encoder.close());

async function categoryOf(text: string): Promise<string | undefined> {
  const outcome = await encoder.encode(text, { deadlineMs: 60_000 });
  if (outcome.kind === 'failed') throw new Error(outcome.reason);
  return encoder.labels[argmax(outcome.encoding.categoryProbabilities)];
}

function after({ user, assistant }: Conversation, newest: string): string {
  const turns = [
    message('system', 'You are a helpful assistant.'),
    message('user', user),
    message('assistant', assistant),
  ];
  return judgedText(chat([...turns, message('user', newest)]))?.text ?? '';
}

/** Share of cases in which the text's category is the expected one. */
async function accuracy(cases: readonly (readonly [category: string, text: string])[]): Promise<number> {
  const right = await Promise.all(cases.map(async ([category, text]) => (await categoryOf(text)) === category));
  return right.filter(Boolean).length / cases.length;
}

test('"yes, do that" after a plan in mathematics is still mathematics', async () => {
  const [plan] = CONVERSATIONS;
  expect(await categoryOf(after(plan!, 'yes, do that'))).toBe('math');
  expect(await categoryOf(after(plan!, 'now write me a poem about autumn'))).toBe('other');
});

test('follow-ups keep the category of their conversation', async () => {
  const cases = CONVERSATIONS.flatMap((conversation, index) =>
    GENERIC_FOLLOW_UPS.filter((_, at) => at % 3 === index % 3).map(
      (text) => [conversation.category, after(conversation, text)] as const,
    ),
  );
  expect(await accuracy(cases)).toBeGreaterThanOrEqual(0.93);
});

test('follow-ups that name their subject keep it too', async () => {
  const cases = CONVERSATIONS.map((each) => [each.category, after(each, each.followUp)] as const);
  expect(await accuracy(cases)).toBeGreaterThanOrEqual(0.9);
});

test('a change of subject is judged as well as without the conversation', async () => {
  const alone = await accuracy(CHANGES);
  const cases = CONVERSATIONS.filter((_, index) => index % 4 === 0).flatMap((conversation) =>
    CHANGES.map(([category, text]) => [category, after(conversation, text)] as const),
  );
  expect(await accuracy(cases)).toBeGreaterThanOrEqual(alone - 0.03);
});
