import { describe, expect, test } from '@jest/globals';
import { chooseCategories, MAX_LABELS } from '../../../src/learn/categories.ts';
import { parseCheckRows } from '../../../src/learn/checks.ts';
import { MAX_LINE_CHARS, MAX_ROWS, parseRows, type LabelledRow } from '../../../src/learn/rows.ts';

const line = (text: string, label: string) => JSON.stringify({ text, label });
const many = (label: string, count: number) => Array.from({ length: count }, (_, n) => line(`${label} ${n}`, label));
const rowsOf = (lines: readonly string[]): readonly LabelledRow[] => {
  const outcome = parseRows(lines.join('\n'));
  if (outcome.kind === 'bad') throw new Error(outcome.problems.map(({ message }) => message).join('; '));
  return outcome.rows;
};
const problemsOf = (source: string) => {
  const outcome = parseRows(source);
  return outcome.kind === 'bad' ? outcome.problems.map((one) => `${one.line}: ${one.message}`) : [];
};

describe('labelled rows', () => {
  test('are read with their lines; empty lines, a byte order mark and carriage returns do no harm', () => {
    const outcome = parseRows(`\uFEFF${[...many('a', 5), '', ...many('b', 5)].join('\r\n')}\r\n`);
    expect(outcome).toMatchObject({ kind: 'good', repeats: 0 });
    expect(outcome.kind === 'good' && outcome.rows[5]).toEqual({ text: 'b 0', label: 'b', line: 7 });
  });

  test.each([
    ['nope', 'not JSON'],
    ['[1]', 'not a JSON object'],
    ['{"label":"a"}', 'no "text"'],
    ['{"text":7,"label":"a"}', '"text" is not a string'],
    ['{"text":" ","label":"a"}', '"text" is empty'],
    ['{"text":"x"}', 'no "label"'],
    ['{"text":"x","label":"\\t "}', '"label" is empty'],
    ['{"text":"","label":3}', '"text" is empty; "label" is not a string'],
    [line('x', 'a\u0007b'), '"label" holds a control character'],
    [line('x', 'l'.repeat(101)), '"label" has 101 characters; at most 100'],
    [line('x'.repeat(MAX_LINE_CHARS), 'a'), `${MAX_LINE_CHARS + 23} characters; at most ${MAX_LINE_CHARS} are taken`],
    [line('A  0', 'b'), 'the same text as line 1 under another label: "b", there "a"'],
    [line('new', 'A'), 'the label "A" differs from "a" of line 1 only in upper and lower case'],
  ])('%j is a problem', (bad, message) => {
    expect(problemsOf([...many('a', 10), bad].join('\n'))).toEqual([`11: ${message}`]);
  });

  test('all problems come at once, and none repeats a text', () => {
    const problems = problemsOf(
      ['secret{', line('secret', ''), ...many('a', 10), line('a 3', 'secret-free')].join('\n'),
    );
    expect(problems.map((one) => one.split(':')[0])).toEqual(['1', '2', '13']);
    expect(problems.slice(0, 2).join()).not.toContain('secret');
  });

  test('too few and too many are problems of the file', () => {
    expect(problemsOf(many('a', 9).join('\n'))).toEqual(['0: 9 different texts; at least 10 are needed']);
    expect(problemsOf(many('a', MAX_ROWS + 1).join('\n'))).toEqual([
      `0: ${MAX_ROWS + 1} different texts; at most ${MAX_ROWS} are taken`,
    ]);
  });

  test('a text that repeats under its label counts once', () => {
    expect(parseRows([...many('a', 10), line('a 3', 'a'), line(' A\u00A03 ', 'a')].join('\n'))).toMatchObject({
      kind: 'good',
      repeats: 2,
      rows: { length: 10 },
    });
  });
});

describe('categories', () => {
  test('too few examples make a category part of "other"', () => {
    const chosen = chooseCategories(rowsOf([...many('a', 5), ...many('thin', 4), ...many('Other', 2)]));
    expect(chosen).toMatchObject({
      kind: 'good',
      labels: ['a', 'other'],
      warnings: ['"thin" has 4 of the 5 examples it needs: they count as "other"'],
    });
    expect(chosen.kind === 'good' && chosen.examples.filter(({ label }) => label === 1)).toHaveLength(6);
  });

  test('and are left out when that is too few as well', () => {
    const chosen = chooseCategories(rowsOf([...many('a', 5), ...many('b', 5), ...many('thin', 4)]));
    expect(chosen).toMatchObject({ kind: 'good', labels: ['a', 'b'], examples: { length: 10 } });
    expect(chosen.kind === 'good' && chosen.warnings[1]).toContain('they are left out');
  });

  test('one category is none, and a thousand are too many', () => {
    expect(chooseCategories(rowsOf([...many('a', 9), ...many('b', 4)]))).toMatchObject({ kind: 'bad' });
    const wide = Array.from({ length: MAX_LABELS + 1 }, (_, n) => many(`l${n}`, 5)).flat();
    expect(chooseCategories(rowsOf(wide))).toMatchObject({ kind: 'bad', problem: expect.stringContaining('at most') });
  });

  test('the order of the rows leaves no trace', () => {
    const lines = [...many('b', 6), ...many('a', 6)];
    const texts = (source: readonly string[]) => {
      const chosen = chooseCategories(rowsOf(source));
      return chosen.kind === 'good' ? chosen.examples.map(({ text, label }) => [text, label]) : [];
    };
    expect(texts([...lines].reverse())).toEqual(texts(lines));
  });
});

describe('rows of expectations', () => {
  test.each([
    ['{"expect":{"category":"a"}}', 'either "text" or "request" is needed'],
    ['{"text":"x","request":{},"expect":{"category":"a"}}', 'either "text" or "request" is needed'],
    ['{"text":"x"}', 'no "expect" object'],
    ['{"text":"x","expect":{}}', '"expect" names none of category, model, reasoning, decision'],
    ['{"text":"x","expect":{"modle":"a"}}', '"expect.modle" is not known: category, model, reasoning, decision are'],
    ['{"text":"x","expect":{"reasoning":"yes"}}', '"expect.reasoning" is not a boolean'],
    ['{"request":[],"expect":{"model":"a"}}', '"request" is not an object'],
  ])('%s is a problem', (bad, message) => {
    expect(parseCheckRows(bad)).toEqual({ kind: 'bad', problems: [{ line: 1, message }] });
  });

  test('a text becomes the one message of a request', () => {
    expect(parseCheckRows('{"text":"x","expect":{"category":"a"}}')).toMatchObject({
      kind: 'good',
      rows: [{ request: { model: 'auto', messages: [{ role: 'user', content: 'x' }] }, line: 1 }],
    });
  });
});
