import { expect, test } from '@jest/globals';
import { openAiErrorBody } from '../../../src/errors.ts';
import * as reply from '../../../src/openai/reply.ts';

test('an unknown model is answered in the shape of OpenAI', () => {
  expect(JSON.parse(openAiErrorBody(reply.modelNotFound('gpt-9')))).toEqual({
    error: {
      message: 'The model `gpt-9` does not exist or you do not have access to it.',
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    },
  });
  expect(reply.modelNotFound('gpt-9').status).toBe(404);
});

test('what a client wrote is echoed up to 200 characters', () => {
  expect(reply.modelNotFound('x'.repeat(5000)).message.length).toBeLessThan(300);
  expect(reply.unknownUrl('GET', `/${'x'.repeat(5000)}`).message.length).toBeLessThan(300);
});

test.each([
  [reply.aliasNotAllowed('auto', '/v1/embeddings'), 400, 'invalid_request_error'],
  [reply.upstreamUnavailable('m'), 503, 'server_error'],
  [reply.unknownUrl('POST', '/v1/foo'), 404, 'invalid_request_error'],
])('%j has its status and type', (error, status, type) => {
  expect(error).toMatchObject({ status, type });
  expect(error.message).toMatch(/[.]$/);
});
