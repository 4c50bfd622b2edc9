import { describe, expect, test } from '@jest/globals';
import { parseRequest } from '../../../../src/openai/parse.ts';
import { findPii } from '../../../../src/signals/pii.ts';
import { piiOfRequest } from '../../../../src/signals/pii-of-request.ts';

function requestOf(messages: readonly unknown[]) {
  const body = Buffer.from(JSON.stringify({ model: 'auto', messages }));
  const parsed = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 100 });
  if (parsed.kind === 'invalid') throw new Error(parsed.error.message);
  return parsed.request;
}

async function kindsOf(messages: readonly unknown[]): Promise<string[]> {
  return (await piiOfRequest(requestOf(messages), () => Promise.resolve())).map(({ kind }) => kind);
}

describe('personal data of a request', () => {
  test('every message is searched, whoever wrote it', async () => {
    const kinds = await kindsOf([
      { role: 'system', content: 'Write to a@example.org' },
      { role: 'user', content: [{ type: 'text', text: 'SSN 536-22-1234' }] },
      { role: 'assistant', content: 'Call (415) 555-2671' },
    ]);
    expect(kinds).toEqual(['EMAIL_ADDRESS', 'US_SSN', 'PHONE_NUMBER']);
  });

  test('a long text takes turns, and is found as in one go', async () => {
    const text = 'Some words, then ann@example.org and (415) 555-2671; ISBN 978-3-16-148410-0.\n'.repeat(4000);
    let turns = 0;
    const findings = await piiOfRequest(requestOf([{ role: 'user', content: text }]), () => {
      turns += 1;
      return Promise.resolve();
    });
    expect(turns).toBe(Math.floor((text.length - 1) / (64 * 1024)));
    expect(findings).toEqual(findPii(text).slice(0, 1000));
  });

  test('many short messages take turns too', async () => {
    let turns = 0;
    const messages = Array.from({ length: 200 }, () => ({ role: 'user', content: 'word '.repeat(200) }));
    await piiOfRequest(requestOf(messages), () => {
      turns += 1;
      return Promise.resolve();
    });
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  test('a kind behind a thousand findings of another is found', async () => {
    const kinds = await kindsOf([{ role: 'user', content: `${'a@example.org '.repeat(3000)} SSN 536-22-1234` }]);
    expect(kinds).toHaveLength(1001);
    expect(kinds.at(-1)).toBe('US_SSN');
  });

  test('so is a surer finding of the same kind', async () => {
    const text = `${'it says 536-22-1234, '.repeat(1500)} SSN 536-22-1234`;
    const findings = await piiOfRequest(requestOf([{ role: 'user', content: text }]), () => Promise.resolve());
    expect(Math.max(...findings.map(({ confidence }) => confidence))).toBe(1);
    expect(findings[0]?.confidence).toBe(0.8);
  });

  test('no text, no findings', async () => {
    expect(await kindsOf([{ role: 'user', content: '' }])).toEqual([]);
  });
});
