import { describe, expect, test } from '@jest/globals';
import { parseRequest } from '../../../../src/openai/parse.ts';
import { findPii, PII_SLICE_CHARACTERS, PII_TEXT_COST } from '../../../../src/signals/pii.ts';
import { PII_SEARCH_MS, piiOfRequest } from '../../../../src/signals/pii-of-request.ts';

function requestOf(messages: readonly unknown[]) {
  const body = Buffer.from(JSON.stringify({ model: 'auto', messages }));
  const parsed = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 100 });
  if (parsed.kind === 'invalid') throw new Error(parsed.error.message);
  return parsed.request;
}

const QUIET = { pause: () => Promise.resolve(), clock: () => 0, signal: new AbortController().signal };

async function kindsOf(messages: readonly unknown[]): Promise<string[]> {
  return (await piiOfRequest(requestOf(messages), QUIET)).map(({ kind }) => kind);
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
    const findings = await piiOfRequest(requestOf([{ role: 'user', content: text }]), {
      ...QUIET,
      pause: () => Promise.resolve(void (turns += 1)),
    });
    expect(turns).toBeGreaterThanOrEqual(Math.floor(text.length / PII_SLICE_CHARACTERS));
    expect(findings).toEqual(findPii(text).slice(0, 1000));
  });

  test('many short messages take turns too', async () => {
    let turns = 0;
    const messages = Array.from({ length: 2000 }, () => ({ role: 'user', content: 'word' }));
    await piiOfRequest(requestOf(messages), { ...QUIET, pause: () => Promise.resolve(void (turns += 1)) });
    expect(turns).toBeGreaterThanOrEqual(Math.floor((2000 * PII_TEXT_COST) / (PII_SLICE_CHARACTERS + PII_TEXT_COST)));
  });

  test('a kind behind a thousand findings of another is found', async () => {
    const kinds = await kindsOf([{ role: 'user', content: `${'a@example.org '.repeat(3000)} SSN 536-22-1234` }]);
    expect(kinds).toHaveLength(1001);
    expect(kinds.at(-1)).toBe('US_SSN');
  });

  test('so is a surer finding of the same kind', async () => {
    const text = `${'it says 536-22-1234, '.repeat(1500)} SSN 536-22-1234`;
    const findings = await piiOfRequest(requestOf([{ role: 'user', content: text }]), QUIET);
    expect(Math.max(...findings.map(({ confidence }) => confidence))).toBe(1);
    expect(findings[0]?.confidence).toBe(0.8);
  });

  test('no text, no findings', async () => {
    expect(await kindsOf([{ role: 'user', content: '' }])).toEqual([]);
  });
});

describe('a search that takes too long', () => {
  const text = `SSN 536-22-1234 ${'word '.repeat(20_000)} ann@example.org`;
  const slow = (msATurn: number) => {
    let now = 0;
    return { ...QUIET, pause: () => Promise.resolve(void (now += msATurn)), clock: () => now };
  };

  test('ends after its time, and says from where on nothing was searched', async () => {
    const turns = 4;
    const findings = await piiOfRequest(
      requestOf([{ role: 'user', content: text }]),
      slow(PII_SEARCH_MS / (turns - 0.5)),
    );
    expect(findings).toEqual([
      { kind: 'US_SSN', start: 4, end: 15, confidence: 1 },
      { kind: 'UNSEARCHED_TEXT', start: turns * PII_SLICE_CHARACTERS, end: text.length, confidence: 1 },
    ]);
  });

  test('ends so in any of many messages', async () => {
    const messages = Array.from({ length: 200 }, () => ({ role: 'user', content: 'word' }));
    const findings = await piiOfRequest(requestOf(messages), slow(PII_SEARCH_MS + 1));
    expect(findings).toEqual([{ kind: 'UNSEARCHED_TEXT', start: 0, end: 4, confidence: 1 }]);
  });

  test('is not cut short a moment before', async () => {
    const turns = Math.ceil(text.length / PII_SLICE_CHARACTERS);
    const findings = await piiOfRequest(requestOf([{ role: 'user', content: text }]), slow(PII_SEARCH_MS / turns));
    expect(findings.map(({ kind }) => kind)).toEqual(['US_SSN', 'EMAIL_ADDRESS']);
  });

  test('ends at once when nobody waits any more', async () => {
    const abort = new AbortController();
    const input = { ...QUIET, signal: abort.signal, pause: () => Promise.resolve().then(() => abort.abort()) };
    const findings = await piiOfRequest(requestOf([{ role: 'user', content: text }]), input);
    expect(findings.at(-1)).toMatchObject({ kind: 'UNSEARCHED_TEXT', start: PII_SLICE_CHARACTERS });
  });
});
