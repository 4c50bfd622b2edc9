import { expect, test } from '@jest/globals';
import { kindOfPath, takesOnlyPost } from '../../../src/openai/paths.ts';

test.each([
  ['/v1/chat/completions', 'chat'],
  ['//v1/chat/completions', 'chat'],
  ['/v1/chat/completions/', 'chat'],
  ['/v1/chat/completions?x=/v1/embeddings', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/chat/completions/chatcmpl-1', 'other'],
  ['/v1/Chat/completions', 'other'],
  ['/v1/models', 'other'],
  ['/', 'other'],
  ['///', 'other'],
  ['//v1/embeddings//', 'embeddings'],
  ['', 'other'],
] as const)('%s is %s', (path, kind) => {
  expect(kindOfPath(path)).toBe(kind);
  expect(takesOnlyPost(path)).toBe(kind !== 'other');
});

test('a path of slashes takes no more than one look at each', () => {
  expect(kindOfPath(`/v1/a${'/'.repeat(2_000_000)}x`)).toBe('other');
});
