/** Large bodies take turns with other requests: what is done between two turns is bounded, whatever the body is made of. Counted, not timed. */
import { describe, expect, test } from '@jest/globals';
import { SLICE_BYTES } from '../../src/openai/pace.ts';
import { parseRequest, parseSteps } from '../../src/openai/parse.ts';
import type { ChatRequest } from '../../src/openai/request.ts';
import { rewriteSteps } from '../../src/rewrite/body.ts';
import { route } from '../../src/route.ts';
import { judgedText } from '../../src/signals/judged-text.ts';
import { PII_SLICE_CHARACTERS, PII_TEXT_COST } from '../../src/signals/pii.ts';
import { shapeOf, shapeSteps, withExactTokens } from '../../src/signals/shape.ts';
import { registryOf } from './decision/fixture.ts';
import { worldOf } from './world.ts';

const PATH = '/v1/chat/completions';
const USER = '{"role":"user","content":"math: hi"}';
/** Names and values between two turns that a step of 256 KiB stands for: each costs as much as 64 bytes. */
const VALUES_A_TURN = SLICE_BYTES / 64;

function body(inside: string): Buffer {
  return Buffer.from(`{"model":"auto",${inside}}`);
}

function requestOf(bytes: Uint8Array): ChatRequest {
  const outcome = parseRequest(bytes, { path: PATH, maxDepth: 100 });
  if (outcome.kind === 'invalid') throw new Error(outcome.error.message);
  return outcome.request;
}

function turnsOf(steps: Iterator<undefined, unknown>): number {
  let turns = 0;
  while (steps.next().done !== true) turns += 1;
  return turns;
}

describe('reading', () => {
  const many = 500_000;
  test.each([
    ['numbers', `"messages":[${USER}],"x":[${'1,'.repeat(many)}1]`],
    ['empty objects', `"messages":[${USER}],"x":[${'{},'.repeat(many)}{}]`],
    ['empty texts', `"messages":[${USER}],"x":[${'"",'.repeat(many)}""]`],
    ['members', `"messages":[${USER}],"x":{${'"a":1,'.repeat(many)}"a":1}`],
    ['nested arrays', `"messages":[${USER}],"x":[${'[[1]],'.repeat(many / 2)}1]`],
    ['messages', `"messages":[${`${USER},`.repeat(many / 2)}${USER}]`],
    ['parts', `"messages":[{"role":"user","content":[${'{"type":"text","text":"a"},'.repeat(many / 2)}1]}]`],
  ])('an array of many %s: some thousand of them a turn at most', (_, inside) => {
    const bytes = body(inside);
    const turns = turnsOf(parseSteps(bytes, { path: PATH, maxDepth: 100 }));
    // Each of them is two tokens at least, and a token costs a step as much as 32 plain bytes.
    expect(turns).toBeGreaterThanOrEqual((many * 32) / SLICE_BYTES);
  });

  test.each([
    ['a message', `"messages":[{${'"a":1,'.repeat(60_000)}"role":"user","content":"hi"}]`],
    ['a part', `"messages":[{"role":"user","content":[{${'"a":1,'.repeat(60_000)}"type":"text","text":"hi"}]}]`],
  ])('%s of many members', (_, inside) => {
    const bytes = body(inside);
    const scanning = turnsOf(parseSteps(bytes, { path: PATH, maxDepth: 100, read: 'fields' }));
    const all = turnsOf(parseSteps(bytes, { path: PATH, maxDepth: 100 }));
    expect(all - scanning).toBeGreaterThanOrEqual(Math.floor(60_000 / VALUES_A_TURN));
  });
});

describe('looking at', () => {
  const longMessages = requestOf(
    body(`"messages":[${`{"role":"user","content":"${'word '.repeat(200)}"},`.repeat(5000)}${USER}]`),
  );
  const manyParts = requestOf(
    body(
      `"messages":[{"role":"user","content":[${'{"type":"text","text":"a"},'.repeat(25_000)}{"type":"image_url"}]}]`,
    ),
  );

  test('the shape of long messages: their characters are counted in turns', () => {
    const characters = 5000 * 1000;
    expect(turnsOf(shapeSteps(longMessages, '', null))).toBeGreaterThanOrEqual(Math.floor(characters / SLICE_BYTES));
  });

  test('the shape of many parts', () => {
    expect(turnsOf(shapeSteps(manyParts, '', null))).toBeGreaterThanOrEqual(Math.floor(25_000 / VALUES_A_TURN));
    expect(shapeOf(manyParts, '', null)).toMatchObject({ hasImages: true, hasAudio: false, turns: 1 });
  });

  test('the exact tokens of many short texts', async () => {
    let turns = 0;
    const pause = () => Promise.resolve(void (turns += 1));
    const shape = await withExactTokens(manyParts, shapeOf(manyParts, '', null), 1_000_000, pause);
    expect(shape).toMatchObject({ inputTokensExact: true, inputTokens: 4 + 25_000 + 800 });
    // 128 characters are what beginning a text counts as, 16,384 make a turn.
    expect(turns).toBeGreaterThanOrEqual(Math.floor((25_000 * 129) / 16_384) - 1);
  });

  test('blank messages are passed over, half a million characters of them and no more', () => {
    let read = 0;
    const blank = ' '.repeat(24_576);
    const part = {
      kind: 'text' as const,
      get text() {
        read += 1;
        return blank;
      },
      textSpan: null,
      span: { start: 0, end: 0 },
    };
    const [first] = longMessages.messages;
    if (first === undefined) throw new Error('there is one');
    const blanks = Array.from({ length: 1000 }, () => ({ ...first, parts: [part] }));
    expect(judgedText({ messages: [first, ...blanks.slice(0, 10)] })?.newest).toContain('word');
    read = 0;
    expect(judgedText({ messages: [first, ...blanks] })).toBeNull();
    // Once to see that the reading is over, for each message and each of the two passes.
    expect(read).toBeLessThanOrEqual(2 * 1000 + (512 * 1024) / blank.length);
  });
});

test('a large body is copied in pieces', () => {
  const bytes = body(`"x":"${'x'.repeat(8 * 1024 * 1024)}","messages":[${USER}]`);
  const edit = {
    model: 'm',
    reasoning: { kind: 'none' },
    systemPrompt: { text: 'Be brief.', mode: 'replace', source: '' },
    callerReasoningWins: true,
    strip: [],
  } as const;
  expect(turnsOf(rewriteSteps(bytes, requestOf(bytes), edit))).toBeGreaterThanOrEqual(16);
});

describe('the whole way', () => {
  const registry = registryOf({
    vllm_endpoints: [{ name: 'one', address: '127.0.0.1', port: 8000, models: ['general'] }],
    model_config: { general: { context_window: 200_000 } },
    rules: [{ name: 'r', when: { keywords: ['zebra'], regex: 'z+ebra' }, then: { model: 'general' } }],
  });

  async function turnsFor(bytes: Buffer): Promise<number> {
    let turns = 0;
    const world = worldOf(registry, () => Promise.resolve(void (turns += 1)));
    const signal = new AbortController().signal;
    const routed = await route({ path: PATH, startedMs: 0, headers: new Map(), body: bytes, signal }, world);
    expect(routed.outcome.kind).toBe('decided');
    return turns;
  }

  test('of a small request takes no turn', async () => {
    expect(await turnsFor(body(`"messages":[${USER}]`))).toBe(0);
  });

  test.each([
    ['messages', 20_000, (count: number) => `"messages":[${`${USER},`.repeat(count)}${USER}]`],
    [
      'parts',
      20_000,
      (count: number) =>
        `"messages":[{"role":"user","content":[${'{"type":"text","text":"a"},'.repeat(count)}{"type":"text","text":"math: hi"}]}]`,
    ],
  ])('of many %s takes a turn for every few of them', async (_, count, inside) => {
    const turns = await turnsFor(body(inside(count)));
    expect(turns).toBeGreaterThanOrEqual(count / ((PII_SLICE_CHARACTERS + PII_TEXT_COST) / PII_TEXT_COST));
  });

  test('of a long text takes a turn for every few thousand characters', async () => {
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(10_000);
    expect(await turnsFor(body(`"messages":[{"role":"user","content":"${text}"}]`))).toBeGreaterThanOrEqual(
      Math.floor(text.length / PII_SLICE_CHARACTERS),
    );
  });
});
