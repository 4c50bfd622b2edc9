import { describe, expect, test } from '@jest/globals';
import { answersOf, readGrades } from '../../../src/outcomes/import.ts';

const LOG = [
  {
    event: 'routing_decision',
    reason_code: 'auto_routing',
    request_id: 'a',
    selected_model: 'small',
    category: 'math',
  },
  { event: 'llm_usage', request_id: 'a', model: 'large' },
  { event: 'routing_decision', reason_code: 'auto_routing', request_id: 'b', selected_model: 'small', category: '' },
  {
    event: 'routing_decision',
    reason_code: 'model_specified',
    request_id: 'c',
    selected_model: 'small',
    category: null,
  },
  { event: 'routing_decision', reason_code: 'bad_request', request_id: 'd', selected_model: null, category: null },
  { event: 'llm_usage', request_id: 'e', model: 'large' },
]
  .map((line) => JSON.stringify(line))
  .join('\n');

describe('the log', () => {
  test('tells who really answered, and in which category', async () => {
    expect([...(await answersOf(`plain text\n${LOG}\n{"cut`.split('\n')))]).toEqual([
      ['a', { model: 'large', category: 'math' }],
      ['b', { model: 'small', category: '' }],
    ]);
  });
});

describe('grades', () => {
  test('are taken as they are, or joined with the log', async () => {
    const text = [
      '{"model":"small","category":"law","score":1}',
      '',
      '{"model":"small","score":0.5}',
      '{"request_id":"a","score":0}',
      '{"request_id":"never seen","score":1}',
    ].join('\r\n');
    expect(readGrades(text, await answersOf(LOG.split('\n')))).toEqual({
      outcomes: [
        { model: 'small', category: 'law', score: 1 },
        { model: 'small', category: '', score: 0.5 },
        { model: 'large', category: 'math', score: 0 },
      ],
      problems: [],
      unmatched: 1,
    });
  });

  test.each([
    ['nonsense', 'not a JSON object'],
    ['[1]', 'not a JSON object'],
    ['{"model":"a"}', 'score'],
    ['{"model":"a","score":"1"}', 'score'],
    ['{"model":"a","score":1.01}', 'score'],
    ['{"model":"a","score":-0.01}', 'score'],
    ['{"model":"","score":1}', 'model'],
    [`{"model":"${'x'.repeat(257)}","score":1}`, 'model'],
    ['{"model":"a","category":7,"score":1}', 'category'],
    ['{"score":1}', 'request_id'],
    ['{"request_id":"","score":1}', 'request_id'],
  ])('names the line of %s', (line, problem) => {
    const { problems, outcomes } = readGrades(`{"model":"a","score":1}\n${line}\n`, new Map());
    expect(outcomes).toHaveLength(1);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.line).toBe(2);
    expect(problems[0]?.problem).toContain(problem);
  });
});
