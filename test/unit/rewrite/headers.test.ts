import { expect, test } from '@jest/globals';
import { requestMutations, retryMutations } from '../../../src/rewrite/request-edits.ts';
import { responseHeaderEdits } from '../../../src/rewrite/response-edits.ts';

test('a request carries its plan as headers and as metadata', () => {
  const mutations = requestMutations(
    { body: null, selectedModel: 'm', addresses: ['10.0.0.1:80', '[::1]:81'], decision: 'auto', apiKey: null },
    { switchyard: { plan: 'x' }, 'envoy.lb': { other: 'y' } },
  );
  expect(mutations).toEqual({
    body: null,
    setHeaders: [
      { name: 'x-selected-model', value: 'm' },
      { name: 'x-gateway-destination-endpoint', value: '10.0.0.1:80,[::1]:81' },
      { name: 'x-switchyard-decision', value: 'auto' },
      { name: 'x-envoy-max-retries', value: '1' },
    ],
    removeHeaders: [],
    metadata: {
      switchyard: { plan: 'x' },
      'envoy.lb': { other: 'y', 'x-gateway-destination-endpoint': '10.0.0.1:80,[::1]:81' },
    },
  });
});

test('a prompt that is too long has a list of its own', () => {
  const edits = { body: null, selectedModel: 'm', addresses: ['a:1', 'a:2', 'b:3'], decision: 'auto', apiKey: null };
  const mutations = requestMutations({ ...edits, largerAddresses: ['b:3'] });
  expect(mutations.setHeaders).toEqual(
    expect.arrayContaining([
      { name: 'x-envoy-retry-on', value: 'retriable-headers' },
      { name: 'x-envoy-retriable-header-names', value: 'x-switchyard-context-length' },
    ]),
  );
  expect(mutations.metadata).toEqual({
    'envoy.lb': { 'x-gateway-destination-endpoint': 'a:1,a:2,b:3', 'x-switchyard-larger-endpoint': 'b:3' },
  });
  expect(requestMutations({ ...edits, largerAddresses: [] })).toEqual(requestMutations(edits));
});

test("an endpoint's key reaches that endpoint alone", () => {
  const first = requestMutations({
    body: null,
    selectedModel: 'm',
    addresses: ['a:1'],
    decision: 'auto',
    apiKey: 'k1',
  });
  expect(first.setHeaders).toContainEqual({ name: 'authorization', value: 'Bearer k1' });

  const withKey = retryMutations({ body: null, selectedModel: 'n', apiKey: 'k2', carriesForeignKey: true });
  expect(withKey.setHeaders).toContainEqual({ name: 'authorization', value: 'Bearer k2' });
  expect(withKey.removeHeaders).toEqual([]);

  const without = retryMutations({ body: null, selectedModel: 'n', apiKey: null, carriesForeignKey: true });
  expect(without.removeHeaders).toEqual(['authorization']);

  const clients = retryMutations({ body: null, selectedModel: 'n', apiKey: null, carriesForeignKey: false });
  expect(clients.removeHeaders).toEqual([]);
});

test('a response tells who answered and why', () => {
  const edits = {
    model: 'm',
    category: 'math',
    reasoning: true,
    injectedSystemPrompt: false,
    decision: 'auto',
    confidence: 0.70041,
    attempts: 2,
    latencyMs: 3.14159,
  };
  expect(Object.fromEntries(responseHeaderEdits(edits).map(({ name, value }) => [name, value]))).toEqual({
    'x-vsr-selected-model': 'm',
    'x-vsr-selected-category': 'math',
    'x-vsr-selected-reasoning': 'on',
    'x-vsr-injected-system-prompt': 'false',
    'x-switchyard-decision': 'auto',
    'x-switchyard-attempts': '2',
    'x-switchyard-latency-ms': '3.142',
    'x-switchyard-confidence': '0.7004',
  });
  const names = responseHeaderEdits({ ...edits, confidence: null }).map(({ name }) => name);
  expect(names).not.toContain('x-switchyard-confidence');
});
