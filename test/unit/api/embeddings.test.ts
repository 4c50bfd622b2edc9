import { describe, expect, test } from '@jest/globals';
import { cosine } from '../../../src/api/embeddings.ts';
import { embeddingsAnswer, errorAnswer, similarityAnswer } from '../../../src/api/responses.ts';
import { createFakeEncoder, embeddingOf } from '../../fakes/fake-encoder.ts';
import { createFixture } from './fixture.ts';

describe('embeddings', () => {
  test('are the encoder’s, in order', async () => {
    const { post } = createFixture();
    const answer = embeddingsAnswer.parse(await (await post('/api/v1/embeddings', { texts: ['one', 'two'] })).json());
    expect(answer.embeddings.map(({ embedding }) => embedding)).toEqual([
      Array.from(embeddingOf('one')),
      Array.from(embeddingOf('two')),
    ]);
    expect(answer).toMatchObject({ dimension: 384, total_count: 2, model: 'fake-encoder' });
  });

  test.each([
    [{ texts: [] }, 400, 'INVALID_INPUT'],
    [{ texts: ['x'], model: 'gemma' }, 400, 'INVALID_INPUT'],
    [{ texts: ['x'], dimension: 128 }, 400, 'INVALID_DIMENSION'],
    [{ texts: Array.from({ length: 21 }, () => 'x') }, 413, 'TOO_MANY_TEXTS'],
    [{ texts: Array.from({ length: 21 }, () => 7) }, 413, 'TOO_MANY_TEXTS'],
  ])('%j is %i %s', async (body, status, code) => {
    const response = await createFixture().post('/api/v1/embeddings', body);
    expect([response.status, errorAnswer.parse(await response.json()).error.code]).toEqual([status, code]);
  });

  test.each([
    [createFakeEncoder({ withoutEmbedding: true }), 501],
    [createFakeEncoder({ fail: 'deadline' }), 503],
    [createFakeEncoder({ fail: 'unsupported_language' }), 422],
  ])('are refused when the encoder has none (%#)', async (encoderIs, status) => {
    const { post } = createFixture({ encoderIs });
    expect((await post('/api/v1/embeddings', { texts: ['x'] })).status).toBe(status);
    expect((await post('/api/v1/similarity', { text1: 'x', text2: 'y' })).status).toBe(status);
  });
});

describe('similarity', () => {
  test.each([
    ['same', 'same', 1],
    ['one', 'two', cosine(embeddingOf('one'), embeddingOf('two'))],
  ])('of %s and %s', async (text1, text2, expected) => {
    const answer = similarityAnswer.parse(
      await (await createFixture().post('/api/v1/similarity', { text1, text2 })).json(),
    );
    expect(answer.similarity).toBeCloseTo(expected, 6);
  });

  test('never leaves -1..1', () => {
    const long = Float32Array.from({ length: 4 }, () => 0.5000001);
    expect(cosine(long, long)).toBe(1);
    expect(
      cosine(
        long,
        long.map((value) => -value),
      ),
    ).toBe(-1);
  });
});
