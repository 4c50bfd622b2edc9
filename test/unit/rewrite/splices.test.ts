import { expect, test } from '@jest/globals';
import { applySplices, editContainer } from '../../../src/rewrite/splices.ts';
import { rewriteText } from './rewrite-text.ts';

test('without splices the body itself comes back', () => {
  const body = Buffer.from('{}');
  expect(applySplices(body, [])).toBe(body);
});

test('splices go in at their places, whatever their order', () => {
  const edited = applySplices(Buffer.from('0123456789'), [
    { start: 8, end: 10, text: '' },
    { start: 2, end: 4, text: 'é😀' },
    { start: 0, end: 0, text: 'a' },
    { start: 0, end: 0, text: 'b' },
  ]);
  expect(Buffer.from(edited).toString()).toBe('ab01é😀4567');
});

test('every set of items can be taken out of every list, with or without something to add', () => {
  for (let count = 0; count <= 4; count += 1) {
    const items = Array.from({ length: count }, (_, index) => String(index));
    const text = `[ ${items.join(' , ')} ]`;
    const spans = items.map((item) => ({ start: text.indexOf(item), end: text.indexOf(item) + 1 }));
    for (let mask = 0; mask < 1 << count; mask += 1) {
      for (const added of [[], ['8'], ['8', '9']]) {
        const removed = (index: number): boolean => (mask & (1 << index)) !== 0;
        const edit = { container: { start: 0, end: text.length }, items: spans, removed, added };
        const edited = Buffer.from(applySplices(Buffer.from(text), editContainer(edit))).toString();
        expect(JSON.parse(edited)).toEqual([...added, ...items.filter((_, index) => !removed(index))].map(Number));
      }
    }
  }
});

test.each([
  ['{"routing":{"a":1},"model":"M"}', '{"model":"M"}'],
  ['{"model":"M" , "routing":[1,2] }', '{"model":"M" }'],
  ['{"routing":1,"model":"M","routing":2, "x":1.0,"r\\u006futing":3,"provider":{}}', '{"model":"M","x":1.0}'],
  ['{"model":"M","nested":{"routing":1}}', '{"model":"M","nested":{"routing":1}}'],
])('the knobs that are for us alone go: %s', (before, after) => {
  expect(rewriteText(before, { strip: ['routing', 'provider', 'model'] }, '/v1/completions').text).toBe(after);
});

test('every duplicate of model is rewritten, with the name as JSON', () => {
  const { text } = rewriteText('{"model":"auto","x":{"model":"auto"},"model" : "b"}', { model: 'org/"é"\\x' });
  expect(text).toBe('{"model":"org/\\"é\\"\\\\x","x":{"model":"auto"},"model" : "org/\\"é\\"\\\\x"}');
});

test('the first of duplicate messages is left, the last gets the system prompt', () => {
  const { text } = rewriteText('{"model":"M","messages":[],"messages":[{"role":"user","content":"x"}]}', {
    systemPrompt: { text: 'P', mode: 'replace', source: 't' },
  });
  expect(text).toBe(
    '{"model":"M","messages":[],"messages":[{"role":"system","content":"P"},{"role":"user","content":"x"}]}',
  );
});
