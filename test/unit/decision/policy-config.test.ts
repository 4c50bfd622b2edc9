import { describe, expect, test } from '@jest/globals';
import { load } from '../../../src/config/load.ts';

const BASE = `vllm_endpoints:
  - { name: a, address: 10.0.0.1, port: 8000, models: [small, big] }
`;

/** Code and path of each problem; empty when the file loads. */
function problemsOf(yaml: string): string[] {
  const outcome = load(BASE + yaml, 'router.yaml', {});
  return outcome.kind === 'loaded' ? [] : outcome.problems.map(({ code, path }) => `${code} ${path}`);
}

describe('the keys that decide', () => {
  test('may be absent, and all may be given', () => {
    expect(problemsOf('')).toEqual([]);
    expect(
      problemsOf(`unknown_capability: deny
policy: { allow_models: [small], deny_models: [big], allowed_regions: [eu], allow_trace: true, caller_objective: false, data_collecting_endpoints: [a] }
tenants:
  from_header: X-Tenant
  default: public
  unknown: deny
  list:
    - { name: public, api_key_sha256: ["${'0'.repeat(64)}"], policy: { deny_models: [big] }, objective: cost }
guards: { answer: content_filter, pii: { action: flag, min_confidence: 0.7 }, jailbreak: { action: route, threshold: 0.9, route_to: small } }
objective: { kind: balanced, quality_floor: 0.5, max_cost_usd: 0.01, max_latency_ms: 5000, max_ttft_ms: 500, weights: { quality: 1 }, unmet: refuse }
estimates: { quality: 0.4, output_tokens: 300, output_reserve_tokens: 0, difficulty_strength: 0, difficulty_reference: 0.5, exchange_rates: { EUR: 1.1 }, reference_cost_usd: 0.01, reference_latency_ms: 1000, min_samples: 3 }
rules:
  - name: night
    when:
      all: [{ category: math, confidence: { min: 0.7 } }, { any: [{ keywords: [invoice, bill] }, { regex: 'INV-\\d+' }] }]
      not: { header: { x-plan: [gold], x-test: true }, time: { days: [mon], from: "22:00", to: "06:00", timezone: Europe/Berlin } }
    then: { split: { sticky: user, weights: { small: 9, big: 1 } }, objective: { quality_floor: 0.2 }, reasoning: false, reasoning_effort: low, system_prompt: false }
  - { name: stop, when: { modality: audio, pii: any, language: [en, de] }, then: { deny: { status: 451, message: No. } } }
`),
    ).toEqual([]);
  });

  test.each([
    ['policy: { allow_models: [smal] }', 'CONFIG_UNKNOWN_MODEL policy.allow_models[0]'],
    ['policy: { data_collecting_endpoints: [b] }', 'CONFIG_UNKNOWN_ENDPOINT policy.data_collecting_endpoints[0]'],
    ['tenants: { default: x }', 'CONFIG_UNKNOWN_TENANT tenants.default'],
    ['tenants: { list: [{ name: x }, { name: x }] }', 'CONFIG_DUPLICATE_NAME tenants.list[1].name'],
    [
      'tenants: { list: [{ name: x, policy: { deny_models: [y] } }] }',
      'CONFIG_UNKNOWN_MODEL tenants.list[0].policy.deny_models[0]',
    ],
    [
      'tenants: { list: [{ name: x, api_key_sha256: [abc] }] }',
      'CONFIG_INVALID_VALUE tenants.list[0].api_key_sha256[0]',
    ],
    ['tenants: { from_header: "a b" }', 'CONFIG_INVALID_VALUE tenants.from_header'],
    ['guards: { jailbreak: { action: route } }', 'CONFIG_MISSING_KEY guards.jailbreak.action'],
    ['guards: { jailbreak: { route_to: x } }', 'CONFIG_UNKNOWN_MODEL guards.jailbreak.route_to'],
    ['objective: cheap', 'CONFIG_NOT_ALLOWED objective'],
    ['objective: { quality_floor: 2 }', 'CONFIG_OUT_OF_RANGE objective.quality_floor'],
    ['rules: [{ name: r, then: { model: x } }]', 'CONFIG_UNKNOWN_MODEL rules[0].then.model'],
    ['rules: [{ name: r, then: { models: [x] } }]', 'CONFIG_UNKNOWN_MODEL rules[0].then.models[0]'],
    [
      'rules: [{ name: r, then: { split: { weights: { x: 1 } } } }]',
      'CONFIG_UNKNOWN_MODEL rules[0].then.split.weights.x',
    ],
    [
      'rules: [{ name: r, then: { split: { weights: { small: 0 } } } }]',
      'CONFIG_INVALID_VALUE rules[0].then.split.weights',
    ],
    ['rules: [{ name: r, then: {} }, { name: r, then: {} }]', 'CONFIG_DUPLICATE_NAME rules[1].name'],
    ['rules: [{ name: r, when: { categry: x }, then: {} }]', 'CONFIG_UNKNOWN_KEY rules[0].when.categry'],
    [
      'rules: [{ name: r, when: { all: [{ any: [{ tokns: {} }] }] }, then: {} }]',
      'CONFIG_UNKNOWN_KEY rules[0].when.all[0].any[0].tokns',
    ],
    ["rules: [{ name: r, when: { regex: '(a' }, then: {} }]", 'CONFIG_INVALID_VALUE rules[0].when.regex'],
    [
      "rules: [{ name: r, when: { not: { regex: [a, '(?=b)'] } }, then: {} }]",
      'CONFIG_INVALID_VALUE rules[0].when.not.regex[1]',
    ],
    ["rules: [{ name: r, when: { regex: 'a{1000}' }, then: {} }]", 'CONFIG_INVALID_VALUE rules[0].when.regex'],
    [
      'rules: [{ name: r, when: { time: { timezone: Europe/Berln } }, then: {} }]',
      'CONFIG_INVALID_VALUE rules[0].when.time.timezone',
    ],
    [
      'rules: [{ name: r, when: { time: { from: "25:00" } }, then: {} }]',
      'CONFIG_INVALID_VALUE rules[0].when.time.from',
    ],
    ['rules: [{ name: r, then: { deny: { status: 200 } } }]', 'CONFIG_NOT_ALLOWED rules[0].then.deny.status'],
    [
      `rules: [{ name: r, when: ${'{ not: '.repeat(20)}{}${' }'.repeat(20)}, then: {} }]`,
      `CONFIG_INVALID_VALUE rules[0].when${'.not'.repeat(17)}`,
    ],
  ])('%s', (yaml, problem) => expect(problemsOf(yaml)).toContain(problem));
});
