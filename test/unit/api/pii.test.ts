import { describe, expect, test } from '@jest/globals';
import { batchAnswer, errorAnswer, piiAnswer } from '../../../src/api/responses.ts';
import { CONFIG, createFixture } from './fixture.ts';

const PII = '/api/v1/classify/pii';
const TEXT = 'Write to ann@example.org or call (415) 555-2671.';

async function find(body: unknown) {
  const answer = await createFixture().post(PII, body);
  expect(answer.status).toBe(200);
  return piiAnswer.parse(await answer.json());
}

describe('POST /api/v1/classify/pii', () => {
  test('answers kinds, places, confidence and the masked text', async () => {
    const answer = await find({ text: TEXT });
    expect(answer).toMatchObject({
      kinds: ['EMAIL_ADDRESS', 'PHONE_NUMBER'],
      findings: [
        { kind: 'EMAIL_ADDRESS', start: 9, end: 24, confidence: 1 },
        { kind: 'PHONE_NUMBER', start: 33, end: 47, confidence: 1 },
      ],
      finding_count: 2,
      masked_text: 'Write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>.',
    });
    expect(JSON.stringify(answer)).not.toContain('ann@');
  });

  test('nothing found is nothing found', async () => {
    expect(await find({ text: 'Version 1.2.3.4, ISBN 978-3-16-148410-0.' })).toMatchObject({
      kinds: [],
      findings: [],
      finding_count: 0,
      masked_text: 'Version 1.2.3.4, ISBN 978-3-16-148410-0.',
    });
  });

  test('leaves the mask out when asked', async () => {
    expect(await find({ text: TEXT, options: { mask: false } })).not.toHaveProperty('masked_text');
  });

  test('a large text gives others their turn; it is masked whole, and a thousand findings are listed', async () => {
    const { post } = createFixture({ yaml: CONFIG.replace('64KiB', '4MiB') });
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const answer = await post(PII, { text: `${TEXT}\n`.repeat(10_000) });
    isOver = true;
    const body = piiAnswer.parse(await answer.json());
    expect(turns).toBeGreaterThanOrEqual(7);
    expect(body.findings).toHaveLength(1000);
    expect(body.finding_count).toBe(20_000);
    expect(body.masked_text).toBe('Write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>.\n'.repeat(10_000));
  });

  test('without a detector it is 501', async () => {
    const answer = await createFixture({ startPiiSearch: null }).post(PII, { text: TEXT });
    expect(answer.status).toBe(501);
    expect(errorAnswer.parse(await answer.json()).error.code).toBe('NOT_SUPPORTED_BY_MODEL');
    const batch = { texts: [TEXT], task_type: 'pii' };
    expect((await createFixture({ startPiiSearch: null }).post('/api/v1/classify/batch', batch)).status).toBe(501);
  });

  test.each([[{}], [{ text: '' }], [{ text: 5 }], [{ text: 'a', options: { mask: 'yes' } }]])(
    '%j is a 400',
    async (body) => {
      const answer = await createFixture().post(PII, body);
      expect(answer.status).toBe(400);
    },
  );

  test('a batch names the surest kind of each text', async () => {
    const answer = await createFixture().post('/api/v1/classify/batch', {
      texts: ['nothing here', TEXT, 'it says 536-22-1234'],
      task_type: 'pii',
    });
    expect(batchAnswer.parse(await answer.json()).results).toMatchObject([
      { category: 'no_pii', confidence: 1 },
      { category: 'EMAIL_ADDRESS', confidence: 1 },
      { category: 'US_SSN', confidence: 0.8 },
    ]);
  });
});
