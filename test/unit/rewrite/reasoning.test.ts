import { describe, expect, test } from '@jest/globals';
import type { ReasoningEdit } from '../../../src/decision/decision.ts';
import { decodeRewriteNote, EMPTY_NOTE, encodeRewriteNote } from '../../../src/rewrite/note.ts';
import { rewriteText } from './rewrite-text.ts';

const thinking = (enabled: boolean, parameter = 'enable_thinking'): ReasoningEdit => ({
  kind: 'chat_template_kwargs',
  parameter,
  enabled,
});
const effort = (enabled: boolean): ReasoningEdit => ({ kind: 'reasoning_effort', enabled, effort: 'medium' });
const NONE: ReasoningEdit = { kind: 'none' };

/** The members besides `model`, before and after; what the endpoint was told. */
type Row = readonly [string, ReasoningEdit, string, boolean];

const bodyWith = (members: string): string => `{"model":"M"${members === '' ? '' : `,${members}`}}`;

describe('the caller said nothing of it', () => {
  test.each<Row>([
    ['', NONE, '{"model":"M"}', false],
    ['', thinking(true), '{"chat_template_kwargs":{"enable_thinking":true},"model":"M"}', true],
    ['', thinking(false, 'thinking'), '{"chat_template_kwargs":{"thinking":false},"model":"M"}', false],
    ['', effort(true), '{"reasoning_effort":"medium","model":"M"}', true],
    ['', effort(false), '{"reasoning_effort":"low","model":"M"}', false],
    [
      '"chat_template_kwargs": null',
      thinking(true),
      '{"model":"M","chat_template_kwargs": {"enable_thinking":true}}',
      true,
    ],
    [
      '"chat_template_kwargs":{ }',
      thinking(true),
      '{"model":"M","chat_template_kwargs":{"enable_thinking":true }}',
      true,
    ],
    [
      '"chat_template_kwargs":{ "x":1.0 }',
      thinking(false),
      '{"model":"M","chat_template_kwargs":{"enable_thinking":false, "x":1.0 }}',
      false,
    ],
    [
      '"chat_template_kwargs":{"enable_thinking":null}',
      thinking(true),
      '{"model":"M","chat_template_kwargs":{"enable_thinking":true}}',
      true,
    ],
    ['"reasoning_effort":null', effort(false), '{"model":"M","reasoning_effort":"low"}', false],
  ])('%j', (members, reasoning, expected, told) => {
    const { text, result } = rewriteText(bodyWith(members), { reasoning });
    expect(text).toBe(expected);
    expect(result.reasoningTold).toBe(told);
  });
});

describe("the caller's own fields win", () => {
  test.each<Row>([
    ['"chat_template_kwargs":{"enable_thinking":false}', thinking(true), '', false],
    ['"chat_template_kwargs":{"enable_thinking":true}', thinking(false), '', true],
    ['"chat_template_kwargs":{"enable_thinking":false,"enable_thinking":true}', thinking(false), '', true],
    ['"chat_template_kwargs":{},"chat_template_kwargs":{"enable_thinking":1}', thinking(false), '', true],
    ['"reasoning_effort":"high"', effort(false), '', true],
    ['"reasoning_effort":"none"', effort(true), '', false],
    // What "off" writes as well as what "on" may write: the decision's word stands.
    ['"reasoning_effort":"low"', effort(true), '', true],
    ['"reasoning_effort":"low"', effort(false), '', false],
    ['"reasoning_effort":"medium","reasoning_effort":"high"', effort(false), '', true],
    // Fields of another family say nothing to this one.
    ['"reasoning_effort":"high"', NONE, '', false],
  ])('%j', (members, reasoning, _, told) => {
    const { text, result } = rewriteText(bodyWith(members), { reasoning });
    expect(text).toBe(bodyWith(members));
    expect(result.reasoningTold).toBe(told);
    expect(result.note).toEqual(EMPTY_NOTE);
  });

  test.each<Row>([
    [
      '"chat_template_kwargs":{"enable_thinking":false,"x":1,"enable_thinking":0}',
      thinking(true),
      '{"model":"M","chat_template_kwargs":{"enable_thinking":true,"x":1,"enable_thinking":true}}',
      true,
    ],
    ['"reasoning_effort":"high"', effort(false), '{"model":"M","reasoning_effort":"low"}', false],
    [
      '"reasoning_effort":"none","reasoning_effort":"high"',
      effort(true),
      '{"model":"M","reasoning_effort":"medium","reasoning_effort":"medium"}',
      true,
    ],
  ])('unless the config says otherwise: %j', (members, reasoning, expected, told) => {
    const { text, result } = rewriteText(bodyWith(members), { reasoning, callerReasoningWins: false });
    expect(text).toBe(expected);
    expect(result.reasoningTold).toBe(told);
  });
});

test('of duplicate chat_template_kwargs the last is edited, the one that parsers keep', () => {
  const { text } = rewriteText('{"model":"M","chat_template_kwargs":{"a":1},"chat_template_kwargs":{"b":2}}', {
    reasoning: thinking(true),
  });
  expect(text).toBe(
    '{"model":"M","chat_template_kwargs":{"a":1},"chat_template_kwargs":{"enable_thinking":true,"b":2}}',
  );
});

describe('a retry on a model of another family', () => {
  test.each<[string, ReasoningEdit, ReasoningEdit, string]>([
    ['', thinking(true), effort(true), '{"reasoning_effort":"medium","model":"N"}'],
    ['', effort(true), thinking(false), '{"chat_template_kwargs":{"enable_thinking":false},"model":"N"}'],
    ['', thinking(true), thinking(true, 'thinking'), '{"chat_template_kwargs":{"thinking":true},"model":"N"}'],
    ['', thinking(true), NONE, '{"model":"N"}'],
    ['"chat_template_kwargs":null', thinking(true), NONE, '{"model":"N","chat_template_kwargs":null}'],
    [
      '"chat_template_kwargs":{"x":1}',
      thinking(true),
      effort(false),
      '{"reasoning_effort":"low","model":"N","chat_template_kwargs":{"x":1}}',
    ],
    [
      '"chat_template_kwargs":{"thinking":true}',
      thinking(true),
      thinking(false, 'thinking'),
      '{"model":"N","chat_template_kwargs":{"thinking":true}}',
    ],
    [
      '"reasoning_effort":"high"',
      effort(false),
      thinking(true),
      '{"chat_template_kwargs":{"enable_thinking":true},"model":"N","reasoning_effort":"high"}',
    ],
  ])('%j', (members, first, second, expected) => {
    const { text, result } = rewriteText(bodyWith(members), { reasoning: first });
    const before = decodeRewriteNote(encodeRewriteNote(result.note));
    expect(rewriteText(text, { model: 'N', reasoning: second, before }).text).toBe(expected);
  });

  test('gives back what was overridden', () => {
    const { text, result } = rewriteText('{"model":"M","reasoning_effort":"high"}', {
      reasoning: effort(false),
      callerReasoningWins: false,
    });
    expect(rewriteText(text, { reasoning: NONE, before: result.note }).text).toBe(
      '{"model":"M","reasoning_effort":"high"}',
    );
  });
});

test.each([
  '',
  'x',
  '5',
  'null',
  '[]',
  '{"effort":{"previous":"{"}}',
  '{"effort":{"previous":1}}',
  '{"kwargs":{"parameter":1}}',
])('a note of %j is the empty note', (text) => {
  expect(decodeRewriteNote(text)).toEqual(EMPTY_NOTE);
});

test('values too long for any model are not remembered', () => {
  const { result } = rewriteText(`{"model":"M","chat_template_kwargs":{"enable_thinking":"${'x'.repeat(300)}"}}`, {
    reasoning: thinking(true),
    callerReasoningWins: false,
  });
  expect(encodeRewriteNote(result.note).length).toBeLessThan(120);
});

test('a value as long as the body is not read to its end for each target', () => {
  const long = `"reasoning_effort":"${'\\n'.repeat(8_000_000)}"`;
  const { result } = rewriteText(bodyWith(long), { reasoning: effort(true), callerReasoningWins: true });
  // No effort that anybody knows is so long: the caller has said nothing, and an alias is refused for it before.
  expect(result.note.effort).toEqual({ previous: null });
});
