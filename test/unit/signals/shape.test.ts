import { describe, expect, test } from '@jest/globals';
import { looksLikeCode } from '../../../src/signals/code.ts';
import { shapeOf } from '../../../src/signals/shape.ts';
import type { ChatRequest } from '../../../src/openai/request.ts';
import { chat, message, part } from './requests.ts';

const hello = [message('user', 'hello')];

test('a plain request', () => {
  expect(shapeOf(chat(hello), 'hello', 'en')).toEqual({
    inputTokens: 6,
    inputTokensExact: false,
    turns: 1,
    hasTools: false,
    hasImages: false,
    hasAudio: false,
    hasFiles: false,
    wantsJson: null,
    wantsLogprobs: false,
    choices: 1,
    maxOutputTokens: null,
    hasCode: false,
    language: 'en',
    stream: false,
  });
});

test.each<readonly [string, Partial<ChatRequest>, object]>([
  ['tools', { toolCount: 2 }, { hasTools: true }],
  ['JSON mode', { responseFormat: 'json_object' }, { wantsJson: 'json_object' }],
  ['a JSON schema', { responseFormat: 'json_schema' }, { wantsJson: 'json_schema' }],
  ['text asked for by name', { responseFormat: 'text' }, { wantsJson: null }],
  ['several choices', { choices: 3 }, { choices: 3 }],
  ['logprobs', { logprobs: true }, { wantsLogprobs: true }],
  ['an output limit', { maxOutputTokens: 100 }, { maxOutputTokens: 100 }],
  ['streaming', { stream: true }, { stream: true }],
])('%s', (_, fields, shape) => expect(shapeOf(chat(hello, fields), '', null)).toMatchObject(shape));

test.each([
  ['image', { hasImages: true, hasAudio: false, hasFiles: false }],
  ['audio', { hasImages: false, hasAudio: true, hasFiles: false }],
  ['file', { hasImages: false, hasAudio: false, hasFiles: true }],
] as const)('a part of kind %s, anywhere in the conversation', (kind, shape) => {
  const request = chat([message('user', [part('text', 'look'), part(kind)]), message('assistant', 'I see.'), ...hello]);
  expect(shapeOf(request, '', null)).toMatchObject({ ...shape, turns: 2 });
});

test('all messages, images and tool definitions count as input', () => {
  const tools = { key: 'tools', keySpan: { start: 0, end: 7 }, valueSpan: { start: 10, end: 4010 } };
  const request = chat(
    [message('system', 'word '.repeat(1000)), message('user', [part('text', 'hi'), part('image')])],
    {
      members: [tools],
      toolCount: 1,
    },
  );
  const { inputTokens } = shapeOf(request, '', null);
  // About 1,000 of text, 1,000 of tools and 800 of an image.
  expect(inputTokens).toBeGreaterThan(2500);
  expect(inputTokens).toBeLessThan(3200);
});

test('of 32 MiB in one message some 33,000 characters are looked at; many messages take turns (slices.test.ts)', () => {
  const request = chat([message('user', Buffer.alloc(32 * 1024 * 1024, 'lorem ipsum 12345 {} ').toString())]);
  const original: (this: string, at: number) => number = Reflect.get(String.prototype, 'charCodeAt');
  let looks = 0;
  String.prototype.charCodeAt = function (this: string, at: number) {
    looks += 1;
    return original.call(this, at);
  };
  try {
    shapeOf(request, '', null);
  } finally {
    String.prototype.charCodeAt = original;
  }
  expect(looks).toBeGreaterThan(30_000);
  expect(looks).toBeLessThan(40_000);
});

describe('looksLikeCode', () => {
  test.each([
    ['a fence', 'Why does this fail?\n```\nx\n```'],
    ['Python', 'def add(a, b):\n    return a + b'],
    ['JavaScript', 'const add = (a, b) => {\n  return a + b;\n};'],
    ['TypeScript', "import { readFile } from 'node:fs/promises';\nexport async function load(path: string) {"],
    ['C', '#include <stdio.h>\nint main(void) { printf("hi"); return 0; }'],
    ['Java', 'public static void main(String[] args) {\n  System.out.println("hi");\n}'],
    ['Rust', 'fn main() {\n    let x = 5;\n    println!("{}", x);\n}'],
    ['Go', 'package main;\nfunc main() {\n\tfmt.Println("hi")\n}'],
    ['SQL', 'SELECT name FROM users WHERE id == 5; INSERT INTO log VALUES (1);'],
    ['a stack trace', 'TypeError: x\n    at run (/app/index.js:10:5)\n    at main (/app/index.js:20:3)\n  if (x) {'],
    ['HTML', '<div class="a">\n  <span>hi</span>\n</div>\n<script>let x = 1;</script>'],
    ['a diff', 'diff --git a/x b/x'],
  ])('%s', (_, text) => expect(looksLikeCode(text)).toBe(true));

  test.each([
    ['prose', 'Write a Python function that reverses a list, and import nothing from other packages.'],
    ['maths', 'Let f(x) = x^2 + 3x; find f(2) and f(−1). If a == b, what is a − b?'],
    ['SQL in words', 'How do I select the newest row from a table?'],
    ['a letter', 'Dear Sir,\n\nreturn my deposit (600 €);\nfor two months I have waited.\n\nYours'],
    ['nothing', ''],
  ])('not %s', (_, text) => expect(looksLikeCode(text)).toBe(false));

  test.each([
    ['line ends', '\n'],
    ['letters', 'a'],
    ['calls', 'a('],
    ['imports', 'import '],
    ['queries', 'SELECT '],
    ['modifiers', 'public a a '],
    ['blanks before "at"', '\n at '],
  ])('time is linear in a run of %s', (_, unit) => {
    const text = unit.repeat(100_000);
    looksLikeCode(text);
    const start = performance.now();
    looksLikeCode(text);
    expect(performance.now() - start).toBeLessThan(60);
  });
});
