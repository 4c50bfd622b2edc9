import { expect, test } from '@jest/globals';
import { wantedFormat } from '../../../src/cascade/wanted-format.ts';
import { parseRequest } from '../../../src/openai/parse.ts';

function formatOf(responseFormat: string): unknown {
  const body = Buffer.from(`{"model":"auto","messages":[{"role":"user","content":"x"}]${responseFormat}}`);
  const parsed = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 100 });
  if (parsed.kind === 'invalid') throw new Error(parsed.error.message);
  return wantedFormat(body, parsed.request);
}

test.each([
  ['', { kind: 'text' }],
  [',"response_format":null', { kind: 'text' }],
  [',"response_format":{"type":"text"}', { kind: 'text' }],
  [',"response_format":{"type":"json_object"}', { kind: 'json_object' }],
  [
    ',"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}}',
    { kind: 'json_schema', schema: { type: 'object' } },
  ],
  [',"response_format":{"type":"json_schema","json_schema":{"name":"a"}}', { kind: 'json' }],
  [',"response_format":{"type":"json_schema"}', { kind: 'json' }],
  [
    ',"response_format":{"type":"text"},"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"null"}}}',
    { kind: 'json_schema', schema: { type: 'null' } },
  ],
  [
    `,"response_format":{"type":"json_schema","json_schema":{"schema":{"const":"${'x'.repeat(70_000)}"}}}`,
    { kind: 'json' },
  ],
])('%#', (responseFormat, expected) => {
  expect(formatOf(responseFormat)).toEqual(expected);
});
