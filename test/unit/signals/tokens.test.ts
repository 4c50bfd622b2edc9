import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { countTokensExact, estimateTokens, isNearLimit } from '../../../src/signals/tokens.ts';
import { CONVERSATIONS } from './conversations.ts';

const PROSE = CONVERSATIONS.map(({ user, assistant }) => `${user}\n${assistant}`).join('\n\n');
const TEXTS: readonly (readonly [string, string])[] = [
  ['English', PROSE],
  ['TypeScript', readFileSync('src/signals/judged-text.ts', 'utf8')],
  ['JSON', readFileSync('package.json', 'utf8')],
  ['Markdown', readFileSync('docs/ARCHITECTURE.md', 'utf8')],
  ['YAML', readFileSync('docker-compose.yml', 'utf8')],
  [
    'German',
    'Die Wahrscheinlichkeit, dass bei zwei Würfeln die Summe größer als neun ist, lässt sich leicht abzählen: Es gibt sechs günstige unter sechsunddreißig möglichen Ausgängen.',
  ],
  [
    'French',
    'Explique-moi comment fonctionne un moteur à combustion et pourquoi il est moins efficace qu’un moteur électrique, avec quelques chiffres.',
  ],
  [
    'Spanish',
    'Necesito escribir una carta para mi jefe en la que explique por qué llegué tarde, y también quiero pedirle unos días de vacaciones.',
  ],
  [
    'Polish',
    'Jak rozwiązać równanie kwadratowe i dlaczego wyróżnik jest ważny? Napisz przykład z dwoma rozwiązaniami rzeczywistymi.',
  ],
  [
    'Russian',
    'Объясни, пожалуйста, что такое производная и как её найти для сложной функции, приведи несколько примеров с решением.',
  ],
  ['Chinese', '请用简单的语言解释光合作用的过程，并说明植物如何利用光能把二氧化碳和水转化为葡萄糖和氧气。'],
  [
    'Japanese',
    '量子コンピュータの仕組みをわかりやすく説明してください。古典的なコンピュータとの違いも教えてください。',
  ],
  ['Korean', '인공지능이 사회에 미치는 영향에 대해 설명하고 앞으로 어떤 변화가 있을지 예를 들어 주세요.'],
  ['Arabic', 'اشرح لي كيف تعمل الخلايا الشمسية ولماذا هي مهمة للمستقبل، مع ذكر بعض الأمثلة.'],
  ['digits', Array.from({ length: 300 }, (_, index) => (index * 7919).toString()).join(' ')],
];

test.each(TEXTS)('the estimate for %s is within a third of the count', async (_, text) => {
  const exact = await countTokensExact(text, Infinity);
  expect(estimateTokens(text) / exact).toBeGreaterThan(1 / 1.5);
  expect(estimateTokens(text) / exact).toBeLessThan(1.5);
});

test('long texts are estimated from samples, with the same result', () => {
  const long = PROSE.repeat(2000);
  expect(estimateTokens(long) / (estimateTokens(PROSE) * 2000)).toBeCloseTo(1, 1);
});

test('no text, no tokens', async () => {
  expect([estimateTokens(''), await countTokensExact('', 100)]).toEqual([0, 0]);
});

describe('countTokensExact', () => {
  test('counts known texts', async () => {
    expect(await countTokensExact('hello world', 100)).toBe(2);
    expect(await countTokensExact('the quick brown fox jumps', 100)).toBe(5);
  });

  test('what looks like a special token is text', async () => {
    expect(await countTokensExact('<|endoftext|>', 100)).toBeGreaterThan(3);
  });

  test('stops as soon as the limit is passed', async () => {
    const text = 'word '.repeat(2_000_000);
    await countTokensExact(text, 1);
    const start = performance.now();
    const count = await countTokensExact(text, 5000);
    expect(performance.now() - start).toBeLessThan(200);
    expect(count).toBeGreaterThan(5000);
    expect(count).toBeLessThan(6000);
  });

  test('pieces change the count by less than a hundredth', async () => {
    const single = await countTokensExact(PROSE.slice(0, 900), Infinity);
    expect(await countTokensExact(PROSE.slice(0, 900), Infinity)).toBe(single);
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    const whole = countTokens(PROSE);
    expect(Math.abs((await countTokensExact(PROSE, Infinity)) - whole) / whole).toBeLessThan(0.01);
  });

  test('an unbroken run neither takes quadratic time nor holds the event loop', async () => {
    let longest = 0;
    let last = performance.now();
    const ticker = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await countTokensExact('a'.repeat(300_000), Infinity);
    clearInterval(ticker);
    expect(longest).toBeLessThan(100);
  });
});

test.each([
  [100, 1000, false],
  [700, 1000, true],
  [1000, 1000, true],
  [1400, 1000, true],
  [1600, 1000, false],
])('an estimate of %d near a limit of %d: %s', (estimate, limit, near) =>
  expect(isNearLimit(estimate, limit)).toBe(near),
);
