import { describe, expect, test } from '@jest/globals';
import type { ConditionConfig, RuleConfig } from '../../../../src/config/schema-policy.ts';
import type { Facts } from '../../../../src/decision/rules/conditions.ts';
import { compileRules } from '../../../../src/decision/rules/match.ts';
import { ruleText } from '../../../../src/decision/rules/text.ts';
import { requestOf } from '../fixture.ts';

const FACTS: Omit<Facts, 'keywords' | 'patterns'> = {
  categories: ['math'],
  confidence: 0.8,
  entropy: 0.3,
  difficulty: null,
  jailbreak: 0.2,
  piiKinds: ['EMAIL_ADDRESS'],
  language: 'en',
  tokens: 100,
  turns: 1,
  modalities: ['text'],
  tools: false,
  json: true,
  code: false,
  stream: true,
  tenant: 'lab',
  model: 'auto',
  headers: new Map([['x-plan', 'gold']]),
  nowMs: Date.parse('2026-01-05T12:00:00Z'),
};

function rule(name: string, when: ConditionConfig): RuleConfig {
  return { name, when, then: { strict: false } };
}

function holds(when: ConditionConfig, facts: Partial<typeof FACTS> = {}, text = 'the invoice 4711'): boolean {
  const both = { forKeywords: text, forPatterns: text };
  return compileRules([rule('r', when)]).match({ ...FACTS, ...facts }, () => both) !== null;
}

describe('a condition', () => {
  test.each([
    [{}, true],
    [{ category: 'math' }, true],
    [{ category: ['law', 'MATH'] }, true],
    [{ category: 'law' }, false],
    [{ confidence: { min: 0.8 } }, true],
    [{ confidence: { min: 0.81 } }, false],
    [{ confidence: { max: 0.8 } }, true],
    [{ confidence: { min: 0.5, max: 0.7 } }, false],
    [{ entropy: { max: 0.3 } }, true],
    [{ jailbreak: { min: 0.2 } }, true],
    [{ pii: 'any' }, true],
    [{ pii: ['US_SSN', 'EMAIL_ADDRESS'] }, true],
    [{ pii: 'US_SSN' }, false],
    [{ language: ['de', 'en'] }, true],
    [{ keywords: 'invoice' }, true],
    [{ keywords: ['bill', 'receipt'] }, false],
    [{ regex: '\\b\\d{4}\\b' }, true],
    [{ regex: ['^\\d', 'x'] }, false],
    [{ tokens: { min: 100, max: 100 } }, true],
    [{ turns: { min: 2 } }, false],
    [{ modality: 'text' }, true],
    [{ modality: ['image', 'audio'] }, false],
    [{ tools: false }, true],
    [{ tools: true }, false],
    [{ json: true, stream: true, code: false }, true],
    [{ tenant: ['lab', 'x'] }, true],
    [{ model: 'auto:cost' }, false],
    [{ header: { 'X-Plan': 'gold' } }, true],
    [{ header: { 'x-plan': ['silver', 'bronze'] } }, false],
    [{ header: { 'x-plan': true, 'x-debug': false } }, true],
    [{ header: { 'x-plan': false } }, false],
    [{ time: { from: '11:00', to: '13:00', timezone: 'UTC' } }, true],
    [{ category: 'math', tools: true }, false],
    [{ all: [{ category: 'math' }, { json: true }] }, true],
    [{ all: [{ category: 'math' }, { json: false }] }, false],
    [{ any: [{ category: 'law' }, { json: true }] }, true],
    [{ any: [] }, false],
    [{ all: [] }, true],
    [{ not: { category: 'math' } }, false],
    [{ not: { not: { category: 'math' } } }, true],
    [{ not: { any: [{ category: 'law' }, { all: [{ keywords: 'invoice' }, { tools: true }] }] } }, true],
  ] as [ConditionConfig, boolean][])('%j: %s', (when, expected) => expect(holds(when)).toBe(expected));

  test.each([
    [{ difficulty: { max: 1 } }, {}],
    [{ confidence: { min: 0 } }, { confidence: null }],
    [{ category: 'math' }, { categories: [] }],
    [{ pii: 'any' }, { piiKinds: [] }],
    [{ language: 'en' }, { language: null }],
    [{ tenant: 'lab' }, { tenant: null }],
    [{ time: { timezone: 'UTC' } }, { nowMs: null }],
    [{ header: { 'x-plan': '' } }, { headers: new Map() }],
  ] as [ConditionConfig, Partial<typeof FACTS>][])('%j holds for nothing unknown', (when, facts) => {
    expect(holds(when, facts)).toBe(false);
    expect(holds({ not: when }, facts)).toBe(true);
  });
});

describe('compileRules', () => {
  test('takes the first rule that matches', () => {
    const rules = compileRules([rule('a', { category: 'law' }), rule('b', { json: true }), rule('c', {})]);
    expect(rules.match(FACTS, () => ({ forKeywords: '', forPatterns: '' }))?.name).toBe('b');
  });

  test('reads the text at most once, and not at all when nothing asks for it', () => {
    let reads = 0;
    const text = () => {
      reads += 1;
      return { forKeywords: '', forPatterns: '' };
    };
    compileRules([rule('a', { category: 'law', keywords: 'x' }), rule('b', {})]).match(FACTS, text);
    expect(reads).toBe(0);
    compileRules([rule('a', { keywords: 'x' }), rule('b', { keywords: 'y' }), rule('c', { regex: 'z' })]).match(
      FACTS,
      text,
    );
    expect(reads).toBe(1);
  });

  test('without rules matches nothing', () => {
    expect(compileRules([]).match(FACTS, () => ({ forKeywords: '', forPatterns: '' }))).toBeNull();
  });
});

describe('ruleText', () => {
  test('is the newest user message, text parts only', () => {
    const NOWHERE = { start: 0, end: 0 };
    const part = (kind: 'text' | 'image', text: string) => ({ kind, text, textSpan: null, span: NOWHERE });
    const message = (role: string, ...parts: ReturnType<typeof part>[]) => ({
      role,
      contentKind: 'parts' as const,
      parts,
      span: NOWHERE,
      contentSpan: null,
      toolCallCount: 0,
    });
    const request = requestOf({
      messages: [
        message('user', part('text', 'old')),
        message('user', part('text', 'one'), part('image', ''), part('text', 'two')),
        message('assistant', part('text', 'answer')),
      ],
    });
    expect(ruleText(request)).toEqual({ forKeywords: 'one\ntwo', forPatterns: 'one\ntwo' });
    expect(ruleText(requestOf({ messages: [] })).forKeywords).toBe('');
  });

  test('of a long text is its beginning and its end', () => {
    const { forKeywords, forPatterns } = ruleText(requestOf({ text: `start${'x'.repeat(200_000)}end` }));
    expect(forKeywords).toHaveLength(65_537);
    expect(forPatterns).toHaveLength(8193);
    for (const text of [forKeywords, forPatterns]) expect(text).toMatch(/^start.*\n.*end$/s);
  });
});
