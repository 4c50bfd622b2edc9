import { describe, expect, test } from '@jest/globals';
import { load } from '../../../src/config/load.ts';
import type { Registry } from '../../../src/config/registry.ts';

const SEED = `vllm_endpoints:
  - name: "endpoint1"
    address: "127.0.0.1"      # IP or DNS name
    port: 8000
    models: ["TinyLlama/TinyLlama-1.1B-Chat-v1.0"]
    weight: 1
model_config:
  "TinyLlama/TinyLlama-1.1B-Chat-v1.0":
    reasoning_family: "gpt-oss"
    preferred_endpoints: ["endpoint1"]
    pii_policy: { allow_by_default: true }
categories:
  - name: math
    system_prompt: "You are a mathematics expert. ..."
    model_scores:
      - { model: TinyLlama/TinyLlama-1.1B-Chat-v1.0, score: 1.0, use_reasoning: true }
`;

function loaded(text: string, environment = {}): Registry {
  const outcome = load(text, 'config.yaml', environment);
  if (outcome.kind === 'rejected') throw new Error(JSON.stringify(outcome.problems, null, 1));
  return outcome.registry;
}

const codesAndPlaces = (text: string, environment = {}) => {
  const outcome = load(text, 'config.yaml', environment);
  return outcome.kind === 'rejected'
    ? outcome.problems.map(({ code, line, column }) => `${code} ${line}:${column}`)
    : [];
};

const minimal = (more = '') => `vllm_endpoints: [{ name: a, address: 127.0.0.1, port: 8000, models: [m] }]\n${more}`;

describe('the seed file', () => {
  test('loads unchanged, comments and all, without a warning', () => {
    const outcome = load(SEED, 'config.yaml', {});
    expect(outcome).toMatchObject({ kind: 'loaded', warnings: [] });
  });

  test('means what it says, with every default filled', () => {
    expect(loaded(SEED).config).toEqual({
      vllm_endpoints: [
        {
          name: 'endpoint1',
          address: '127.0.0.1',
          port: 8000,
          models: ['TinyLlama/TinyLlama-1.1B-Chat-v1.0'],
          weight: 1,
        },
      ],
      model_config: {
        'TinyLlama/TinyLlama-1.1B-Chat-v1.0': {
          reasoning_family: 'gpt-oss',
          preferred_endpoints: ['endpoint1'],
          pii_policy: { allow_by_default: true, pii_types_allowed: [] },
        },
      },
      categories: [
        {
          name: 'math',
          system_prompt: 'You are a mathematics expert. ...',
          system_prompt_mode: 'replace',
          model_scores: [{ model: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0', score: 1, use_reasoning: true }],
        },
      ],
      auto_model_name: 'MoM',
      default_reasoning_effort: 'medium',
      include_config_models_in_list: false,
      failure_mode: 'open',
      reasoning_decision: { very_high: 0.8, high: 0.6, medium: 0.4, low: 0.2, very_high_reasoning: true },
      caller_reasoning_wins: true,
      timeouts: { decision: 250, first_byte: 60_000, connect: 1000 },
      limits: { request_body: 32 * 1024 ** 2, json_depth: 10_000, batch_texts: 1000 },
      log: { prompts: false },
      reasoning_families: {},
      classifier: { category_model: { model_id: 'switchyard-minilm', threshold: 0.6, use_cpu: true } },
      ...decisionDefaults(),
    });
  });
});

/** Defaults of the decision's own keys, which their own tests look at. */
function decisionDefaults(): Partial<Registry['config']> {
  const { config } = loaded(minimal());
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => !['vllm_endpoints', 'model_config', 'categories'].includes(key)),
  );
}

test('every key of the contract loads', () => {
  const { config, models } = loaded(
    `
vllm_endpoints:
  - { name: gpu-1, address: gpu-1.internal, port: 8000, models: [big, small], weight: 3, region: eu-west-1, health_check_path: /health }
  - { name: cloud, address: api.example.com, port: 443, weight: 0, tls: { enabled: true, sni: api.example.com }, api_key_env: CLOUD_KEY }
  - { name: six, address: "2001:db8::1", port: 8000, models: [small] }
model_config:
  big:
    reasoning_family: qwen3
    pii_policy: { allow_by_default: false, pii_types_allowed: [EMAIL_ADDRESS] }
    pricing: { currency: EUR, prompt_per_1m: 0.5, completion_per_1m: 1.5 }
    context_window: 131072
    capabilities: [tools, vision, json, audio]
    quality: 0.9
    latency: { ttft_ms: 300, tokens_per_s: 60 }
    served_model_name: Big/Model
    max_output_tokens: 8192
    fallbacks: [small]
  hosted: { preferred_endpoints: [cloud], reasoning_family: own }
categories:
  - name: tech
    description: Computers
    mmlu_categories: [computer science, engineering]
    system_prompt: Be exact.
    system_prompt_enabled: false
    system_prompt_mode: insert
    model_scores:
      - { model: big, score: 0.9, use_reasoning: true, reasoning_description: hard, reasoning_effort: high }
      - { model: small, score: 0 }
default_model: small
auto_model_name: router
default_reasoning_effort: low
include_config_models_in_list: true
failure_mode: closed
reasoning_decision: { very_high: 0.9, high: 0.7, medium: 0.5, low: 0.3, very_high_reasoning: false }
timeouts: { decision: 100ms, first_byte: 2m, connect: 0.5s, total: 1h }
limits: { request_body: 64MiB, json_depth: 100, batch_texts: 10 }
log: { prompts: true }
reasoning_families:
  own: { type: top_level_reasoning_effort, parameter: reasoning_effort }
classifier:
  category_model: { model_id: models/mine, threshold: 0.5, use_cpu: false }
`,
    { CLOUD_KEY: 'x' },
  );
  expect(config.timeouts).toEqual({ decision: 100, first_byte: 120_000, connect: 500, total: 3_600_000 });
  expect(config.limits.request_body).toBe(64 * 1024 ** 2);
  expect([...models.keys()]).toEqual(['big', 'hosted', 'small']);
  expect(models.get('big')?.servedName).toBe('Big/Model');
});

describe('keys without a value', () => {
  test('mean the same as no key, or as an empty mapping', () => {
    const { config } = loaded(`${minimal()}model_config:
  m:
    # nothing is known of it
  n: { preferred_endpoints: [a], pricing: }
categories:
default_model:
timeouts:
`);
    expect(config.model_config).toEqual({ m: {}, n: { preferred_endpoints: ['a'], pricing: { currency: 'USD' } } });
    expect(config.categories).toEqual([]);
    expect(config.default_model).toBeUndefined();
    expect(config.timeouts.decision).toBe(250);
  });

  test('are missing where one is required', () => {
    expect(codesAndPlaces('vllm_endpoints: [{ name: a, address: 127.0.0.1, port: , models: [m] }]')).toEqual([
      'CONFIG_MISSING_KEY 1:49',
    ]);
  });
});

describe('variables of the environment', () => {
  const port = (given: string) =>
    `vllm_endpoints:\n  - { name: a, address: 127.0.0.1, models: [m], port: "${given}" }\n`;

  test('take the type that the key wants, quoted or not', () => {
    expect(loaded(port('${PORT}'), { PORT: '8001' }).config.vllm_endpoints[0]?.port).toBe(8001);
    expect(loaded(port('${PORT:-8002}')).config.vllm_endpoints[0]?.port).toBe(8002);
    const block = (value: string) =>
      `vllm_endpoints:\n  - name: ${value}\n    address: 127.0.0.1\n    port: \${PORT:-8000}\n    models: [m]\n`;
    expect(loaded(block('${NAME}'), { NAME: '123' }).config.vllm_endpoints[0]).toMatchObject({
      name: '123',
      port: 8000,
    });
    expect(loaded(minimal('log: { prompts: "${YES}" }'), { YES: 'true' }).config.log.prompts).toBe(true);
    expect(loaded(minimal('auto_model_name: "${NULL}"'), { NULL: 'null' }).config.auto_model_name).toBe('null');
  });

  test('stand inside a text, too, and an escaped one stays', () => {
    const { config } = loaded(
      minimal('categories:\n  - name: math\n    system_prompt: "${A}-${B:-b}, $5, $$x$$, $${C}"\n'),
      { A: 'a', B: '' },
    );
    expect(config.categories[0]?.system_prompt).toBe('a-b, $5, $$x$$, ${C}');
  });

  test('are not read in keys, and only those that the file names', () => {
    expect(codesAndPlaces(minimal('"${KEY}": 1'), { KEY: 'log' })).toEqual(['CONFIG_UNKNOWN_KEY 2:1']);
    const environment = new Proxy(
      { A: 'a' },
      {
        get: (target, key) => {
          if (key !== 'A') throw new Error(String(key));
          return target.A;
        },
      },
    );
    expect(loaded(minimal('auto_model_name: ${A}'), environment).config.auto_model_name).toBe('a');
  });

  test('never show their value in a message', () => {
    const outcome = load(port('${PORT}'), 'config.yaml', { PORT: 'hunter2' });
    expect(outcome.kind).toBe('rejected');
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });

  test('of the prototype are not variables', () => {
    expect(codesAndPlaces(minimal('auto_model_name: ${toString}'))).toEqual(['CONFIG_MISSING_VARIABLE 2:18']);
  });
});

describe('places', () => {
  test('count lines whatever ends them, and no byte order mark', () => {
    const text = 'vllm_endpoints:\n  - { name: a, address: 127.0.0.1, port: 0, models: [m] }\n';
    expect(codesAndPlaces(text)).toEqual(['CONFIG_OUT_OF_RANGE 2:42']);
    expect(codesAndPlaces(text.replaceAll('\n', '\r\n'))).toEqual(['CONFIG_OUT_OF_RANGE 2:42']);
    expect(codesAndPlaces(`\uFEFF${text}`)).toEqual(['CONFIG_OUT_OF_RANGE 2:42']);
    expect(codesAndPlaces(`\uFEFFvllm_endpoint: 1`)).toEqual(['CONFIG_MISSING_KEY 1:1', 'CONFIG_UNKNOWN_KEY 1:1']);
    expect(codesAndPlaces(`# 漢字 😀\n${text}`)).toEqual(['CONFIG_OUT_OF_RANGE 3:42']);
  });

  test('of a value that came through an alias are those of the alias', () => {
    expect(
      codesAndPlaces(
        `${minimal()}categories:\n  - { name: math, model_scores: [{ model: m, score: &two 2 }] }\n  - { name: law, model_scores: [{ model: m, score: *two }] }\n`,
      ),
    ).toEqual(['CONFIG_OUT_OF_RANGE 3:58', 'CONFIG_OUT_OF_RANGE 4:52']);
  });
});

describe('hostile keys', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s', (key) => {
    expect(codesAndPlaces(minimal(`${key}: { polluted: 1 }`))).toEqual(['CONFIG_UNKNOWN_KEY 2:1']);
    expect(codesAndPlaces(minimal(`model_config: { m: { ${key}: 1 } }`))).toEqual(['CONFIG_UNKNOWN_KEY 2:22']);
    expect(codesAndPlaces(minimal(`default_model: ${key}`))).toEqual(['CONFIG_UNKNOWN_MODEL 2:16']);
    expect(codesAndPlaces(minimal(`model_config: { m: { reasoning_family: ${key} } }`))).toEqual([
      'CONFIG_UNKNOWN_FAMILY 2:40',
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('as a model’s name', () => {
    expect(codesAndPlaces(minimal('model_config: { __proto__: { preferred_endpoints: [a] } }'))).toEqual([
      'CONFIG_UNKNOWN_KEY 2:17',
    ]);
    expect(
      loaded(minimal('model_config: { constructor: { preferred_endpoints: [a] } }')).models.get('constructor')
        ?.endpoints,
    ).toHaveLength(1);
  });
});
