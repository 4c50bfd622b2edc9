import { expect, test } from '@jest/globals';
import { rewriteText } from './rewrite-text.ts';

const PROMPT = 'You are "brief".\n';
const JSON_PROMPT = '"You are \\"brief\\".\\n"';

const IMAGE = '{"type":"image_url","image_url":{"url":"x"}}';
const ADDED = `{"type":"text","text":${JSON_PROMPT}}`;

/** The first message before, after replace, after insert; the rest of the body must not change at all. */
test.each<[string, string, string, string]>([
  [
    'a string',
    `{"role":"system","content":"ol\\u0064"}`,
    `{"role":"system","content":${JSON_PROMPT}}`,
    `{"role":"system","content":"You are \\"brief\\".\\n\\n\\nol\\u0064"}`,
  ],
  [
    'a developer message',
    `{ "name":"n", "content" : "x", "role":"developer" }`,
    `{ "name":"n", "content" : ${JSON_PROMPT}, "role":"developer" }`,
    `{ "name":"n", "content" : "You are \\"brief\\".\\n\\n\\nx", "role":"developer" }`,
  ],
  [
    'null',
    `{"role":"system","content":null}`,
    `{"role":"system","content":${JSON_PROMPT}}`,
    `{"role":"system","content":"You are \\"brief\\".\\n\\n\\n"}`,
  ],
  [
    'absent',
    `{"role":"system"}`,
    `{"content":${JSON_PROMPT},"role":"system"}`,
    `{"content":"You are \\"brief\\".\\n\\n\\n","role":"system"}`,
  ],
  [
    'a duplicate key',
    `{"role":"system","content":"a","content":"b"}`,
    `{"role":"system","content":"a","content":${JSON_PROMPT}}`,
    `{"role":"system","content":"a","content":"You are \\"brief\\".\\n\\n\\nb"}`,
  ],
  [
    'several text parts',
    `{"role":"system","content":[ ${IMAGE} , {"type":"text","text":"a"}, {"type":"text","text":"b"} , ${IMAGE}, {"text":"c","type":"text"} ]}`,
    `{"role":"system","content":[ ${IMAGE} , {"type":"text","text":${JSON_PROMPT}}, ${IMAGE} ]}`,
    `{"role":"system","content":[ ${IMAGE} , {"type":"text","text":"You are \\"brief\\".\\n\\n\\na"}, {"type":"text","text":"b"} , ${IMAGE}, {"text":"c","type":"text"} ]}`,
  ],
  [
    'an empty array',
    `{"role":"system","content":[]}`,
    `{"role":"system","content":[${ADDED}]}`,
    `{"role":"system","content":[${ADDED}]}`,
  ],
  [
    'parts without text',
    `{"role":"system","content":[${IMAGE}]}`,
    `{"role":"system","content":[${ADDED},${IMAGE}]}`,
    `{"role":"system","content":[${ADDED},${IMAGE}]}`,
  ],
  [
    'a user message',
    `{"role":"user","content":"x"}`,
    `{"role":"system","content":${JSON_PROMPT}},{"role":"user","content":"x"}`,
    `{"role":"system","content":${JSON_PROMPT}},{"role":"user","content":"x"}`,
  ],
])('leading content is %s', (_, before, replaced, inserted) => {
  const body = (message: string): string =>
    `{"model":"M","messages":[${message}, {"role":"system","content":"later"}], "seed":12345678901234567890}`;
  for (const [mode, expected] of [
    ['replace', replaced],
    ['insert', inserted],
  ] as const) {
    const { text, result } = rewriteText(body(before), { systemPrompt: { text: PROMPT, mode, source: 't' } });
    expect(text).toBe(body(expected));
    expect(result.injectedSystemPrompt).toBe(true);
  }
});

test('without a choice, or with an empty one, nothing is put in', () => {
  const body = '{"model":"M","messages":[{"role":"user","content":"x"}]}';
  for (const systemPrompt of [null, { text: '', mode: 'replace' as const, source: 't' }]) {
    const { text, result } = rewriteText(body, { systemPrompt });
    expect(text).toBe(body);
    expect(result.injectedSystemPrompt).toBe(false);
  }
});

test('a completions request has no place for it', () => {
  const body = '{"model":"M","prompt":"x"}';
  const { text, result } = rewriteText(
    body,
    { systemPrompt: { text: 'P', mode: 'replace', source: 't' } },
    '/v1/completions',
  );
  expect(text).toBe(body);
  expect(result.injectedSystemPrompt).toBe(false);
});
