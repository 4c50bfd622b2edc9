import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgedText } from '../../../src/signals/judged-text.ts';
import { chat, message, part } from './requests.ts';

const PLAN = message('user', 'Prove that every finite integral domain is a field, with all steps of the algebra.');
const ANSWER = message(
  'assistant',
  'Take a nonzero element a and look at the map x ↦ ax. It is injective, hence surjective. Shall I go on?',
);

describe('which message is read', () => {
  test('the newest user message, when it speaks for itself', () => {
    const request = chat([PLAN, ANSWER, message('user', 'Now write me a poem about autumn leaves.')]);
    expect(judgedText(request)).toEqual({
      text: 'Now write me a poem about autumn leaves.',
      newest: 'Now write me a poem about autumn leaves.',
      kind: 'newest',
    });
  });

  test('a follow-up comes with the question and the answer before it', () => {
    const judged = judgedText(chat([PLAN, ANSWER, message('user', 'yes, do that')]));
    expect(judged?.kind).toBe('follow_up');
    expect(judged?.newest).toBe('yes, do that');
    expect(judged?.text).toBe(`${PLAN.parts[0]?.text}\n${ANSWER.parts[0]?.text}\nyes, do that`);
  });

  test('a chain of follow-ups reaches back to the question', () => {
    const chain = ['why?', 'ok go on', 'and then?'].flatMap((text) => [
      message('user', text),
      message('assistant', 'Because of this.'),
    ]);
    const judged = judgedText(chat([PLAN, ANSWER, ...chain, message('user', 'shorter please')]));
    expect(judged?.text).toBe(`${PLAN.parts[0]?.text}\nBecause of this.\nshorter please`);
  });

  test('…but not past a change of subject', () => {
    const change = message('user', 'Which wine goes with grilled salmon and fennel?');
    const judged = judgedText(
      chat([PLAN, ANSWER, change, message('assistant', 'A dry Riesling.'), message('user', 'why?')]),
    );
    expect(judged?.text).toBe('Which wine goes with grilled salmon and fennel?\nA dry Riesling.\nwhy?');
  });

  test('a first message is read alone, however short', () => {
    expect(judgedText(chat([message('user', 'why?')]))?.text).toBe('why?');
  });

  test('what comes after the newest user message is not read: every step of an agent is judged alike', () => {
    const steps = [
      message('assistant', null),
      message('tool', '{"rows": 4096, "error": "deadlock detected in transaction 17"}'),
      message('assistant', 'I look at the second table now.'),
      message('tool', 'def handler(event): return None'),
    ];
    const before = judgedText(chat([PLAN]));
    for (let count = 0; count <= steps.length; count += 1) {
      expect(judgedText(chat([PLAN, ...steps.slice(0, count)]))).toEqual(before);
    }
  });

  test('tool results between a question and a follow-up are not read', () => {
    const judged = judgedText(
      chat([PLAN, message('assistant', null), message('tool', 'SECRET ROWS'), ANSWER, message('user', 'continue')]),
    );
    expect(judged?.text).not.toContain('SECRET ROWS');
    expect(judged?.text).toContain('integral domain');
  });

  test('system prompts are not read beside a user message', () => {
    for (const role of ['system', 'developer']) {
      const request = chat([message(role, 'You are a tax lawyer.'), message('user', 'hello')]);
      expect(judgedText(request)?.text).toBe('hello');
    }
  });

  test('without a user message the newest other text is read, never a tool result', () => {
    const judged = judgedText(chat([message('system', 'Summarise the news.'), message('tool', 'data')]));
    expect(judged).toEqual({ text: 'Summarise the news.', newest: '', kind: 'fallback' });
  });

  test('a role of a chat template that we do not know is a person', () => {
    expect(judgedText(chat([message('ipython_user', 'Sort this list.')]))?.kind).toBe('newest');
  });

  test.each([
    ['no messages', chat([])],
    ['blank text', chat([message('user', ' \n '), message('system', '')])],
    ['only a tool result', chat([message('tool', 'data')])],
    ['only an image', chat([message('user', [part('image')])])],
  ])('%s: nothing to judge', (_, request) => expect(judgedText(request)).toBeNull());
});

describe('content parts', () => {
  test('text parts are read in order, the others are not', () => {
    const request = chat([
      message('user', [part('text', 'What is in'), part('image'), part('text', 'this picture of a cell?')]),
    ]);
    expect(judgedText(request)?.text).toBe('What is in\nthis picture of a cell?');
  });

  test('a message that is only an image leaves the question to the message before it', () => {
    const request = chat([PLAN, ANSWER, message('user', [part('image')])]);
    expect(judgedText(request)?.text).toBe(PLAN.parts[0]?.text);
  });
});

describe('long texts', () => {
  test('a long paste keeps its beginning and its end', () => {
    const request = chat([message('user', `Why does this fail?\n${'log line\n'.repeat(100_000)}It worked yesterday.`)]);
    const text = judgedText(request)?.text ?? '';
    expect(text.startsWith('Why does this fail?')).toBe(true);
    expect(text.endsWith('It worked yesterday.')).toBe(true);
    expect(text.length).toBeLessThanOrEqual(3072 + 1024 + 1);
  });

  test('the same over many parts', () => {
    const parts = ['Why does this fail?', ...Array<string>(50_000).fill('log line'), 'It worked yesterday.'].map(
      (text) => part('text', text),
    );
    const text = judgedText(chat([message('user', parts)]))?.text ?? '';
    expect(text.startsWith('Why does this fail?')).toBe(true);
    expect(text.endsWith('It worked yesterday.')).toBe(true);
    expect(text.length).toBeLessThanOrEqual(3072 + 1024 + 1);
  });

  test('white space around a paste does not push it out', () => {
    const request = chat([
      message('user', `${' \n'.repeat(6000)}Explain entropy.${'x'.repeat(5000)}${'\n'.repeat(5000)}`),
    ]);
    const text = judgedText(request)?.text ?? '';
    expect(text.startsWith('Explain entropy.')).toBe(true);
    expect(text.endsWith('x')).toBe(true);
  });

  test('a follow-up to a huge question and a huge answer stays within the window of 256 tokens', () => {
    const request = chat([
      message('user', `Integrate this function. ${'sin(x) '.repeat(10_000)}`),
      message('assistant', 'First substitute. '.repeat(10_000)),
      message('user', 'yes, do that'),
    ]);
    const text = judgedText(request)?.text ?? '';
    expect(text.length).toBeLessThan(900);
    expect(text.startsWith('Integrate this function.')).toBe(true);
    expect(text.endsWith('yes, do that')).toBe(true);
  });

  test('a conversation of 32 MiB costs milliseconds', () => {
    const many = Array.from({ length: 100_000 }, (_, index) =>
      message(index % 2 ? 'assistant' : 'user', 'a sentence of some three hundred bytes '.repeat(8)),
    );
    const requests = [
      chat([...many, message('user', 'yes, do that')]),
      chat([message('user', 'Prove it.'), ...many.map((turn) => ({ ...turn, role: 'tool' }))]),
      chat([message('user', Buffer.alloc(32 * 1024 * 1024, 'lorem ipsum ').toString()), message('user', 'why?')]),
      chat([message('user', ' '.repeat(32 * 1024 * 1024))]),
    ];
    for (const request of requests) {
      judgedText(request);
      const start = performance.now();
      judgedText(request);
      expect(performance.now() - start).toBeLessThan(50);
    }
  });

  test('any conversation: bounded, well-formed, deterministic, and it ends with the newest user text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'binary', minLength: 4000, maxLength: 6000 }),
    );
    const turns = fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'tool', 'odd'),
      texts: fc.array(texts, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(turns, { maxLength: 12 }), (conversation) => {
        const request = chat(
          conversation.map((turn) =>
            message(
              turn.role,
              turn.texts.map((text) => part('text', text)),
            ),
          ),
        );
        const judged = judgedText(request);
        expect(judgedText(request)).toEqual(judged);
        if (judged === null) return;
        expect(judged.text.trim()).not.toBe('');
        expect(judged.text.length).toBeLessThanOrEqual(4100);
        expect(judged.text.endsWith(judged.newest)).toBe(true);
        expect(judged.text).toBe(Buffer.from(judged.text).toString());
      }),
      { numRuns: 60 },
    );
  });
});
