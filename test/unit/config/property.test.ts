import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { load } from '../../../src/config/load.ts';
import { locate } from '../../../src/config/locate.ts';
import { printConfig } from '../../../src/config/print.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../../src/config/units.ts';

/** Names as people and machines give them: quotes, dots, colons, dollars, numbers that are text, no letters of English. */
const name = fc
  .oneof(
    fc.constantFrom(
      'm',
      '123',
      'true',
      'null',
      '~',
      'a.b',
      'org/model:1',
      "it's",
      '"q"',
      '${X}',
      '$$',
      '- x',
      '#1',
      'é😀',
      '0x1f',
      '1e3',
      '<<',
      '=',
      'y',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text)),
  )
  .filter((text) => !['auto', 'vllm-sr/auto', 'MoM', '__proto__'].includes(text));
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Any valid config, as one would write it. */
const config = fc.uniqueArray(name, { minLength: 1, maxLength: 4 }).chain((models) => {
  const model = fc.constantFrom(...models);
  return fc.record({
    vllm_endpoints: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).chain((names) =>
      fc.tuple(
        ...names.map((given, index) =>
          fc.record(
            {
              name: fc.constant(given),
              address: fc.constantFrom('127.0.0.1', '::1', 'gpu-1.internal'),
              port: fc.constant(8000 + index),
              models: fc.constant(models),
              weight: optional(fc.integer({ min: 0, max: 1000 })),
              region: optional(name),
              tls: optional(fc.record({ enabled: optional(fc.boolean()), sni: optional(name) })),
              api_key_env: optional(fc.constantFrom('KEY', '_k1')),
              health_check_path: optional(fc.constantFrom('/', '/health?a=${b}')),
            },
            { requiredKeys: ['name', 'address', 'port', 'models'] },
          ),
        ),
      ),
    ),
    model_config: fc.dictionary(
      model,
      fc.record({
        reasoning_family: optional(fc.constantFrom('qwen3', 'gpt-oss')),
        pricing: optional(fc.record({ prompt_per_1m: optional(share), currency: optional(fc.constantFrom('EUR')) })),
        context_window: optional(fc.integer({ min: 1 })),
        capabilities: optional(fc.subarray(['tools', 'vision', 'json', 'audio'])),
        quality: optional(share),
        served_model_name: optional(name),
        fallbacks: optional(fc.array(model, { maxLength: 2 })),
        pii_policy: optional(
          fc.record({ allow_by_default: optional(fc.boolean()), pii_types_allowed: optional(fc.array(name)) }),
        ),
      }),
      { maxKeys: 3 },
    ),
    categories: fc.uniqueArray(
      fc.record({
        name,
        system_prompt: optional(fc.string({ unit: 'grapheme' })),
        system_prompt_mode: optional(fc.constantFrom('insert', 'replace')),
        model_scores: optional(
          fc.array(fc.record({ model, score: share, use_reasoning: optional(fc.boolean()) }), { maxLength: 3 }),
        ),
      }),
      { maxLength: 3, selector: (category) => category.name.toLowerCase() },
    ),
    timeouts: optional(
      fc.record({
        decision: optional(fc.integer({ min: 1, max: 86_400_000 }).map(formatDuration)),
        total: optional(fc.constantFrom('1h', '1.5s', ' 2 m')),
      }),
    ),
    limits: optional(fc.record({ request_body: optional(fc.integer({ min: 1024, max: 2 ** 30 }).map(formatBytes)) })),
    failure_mode: optional(fc.constantFrom('open', 'closed')),
  });
});

describe('print and load', () => {
  test('give back the same config, and the same version', () => {
    fc.assert(
      fc.property(config, (given) => {
        const parsed = configSchema.parse(JSON.parse(JSON.stringify(given)));
        const outcome = load(printConfig(parsed), 'printed.yaml', { KEY: 'x', _k1: 'x' });
        if (outcome.kind === 'rejected') throw new Error(outcome.problems.map(formatProblem).join('\n'));
        expect(outcome.registry.config).toEqual(parsed);
        expect(load(printConfig(outcome.registry.config), 'again.yaml', {})).toMatchObject({
          registry: { version: outcome.registry.version },
        });
      }),
      { numRuns: 60 },
    );
  });

  test('durations and sizes come back exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value);
        expect(parseBytes(formatBytes(value))).toBe(value);
      }),
    );
  });
});

describe('load never throws', () => {
  test('on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(['loaded', 'rejected']).toContain(load(text, 'f', {}).kind);
      }),
      { numRuns: 100 },
    );
  });

  test('on YAML-like text', () => {
    const token = fc.constantFrom(
      ...[
        'a',
        'vllm_endpoints',
        'models',
        ':',
        ': ',
        '- ',
        '\n',
        '\n  ',
        '\n    ',
        '{',
        '}',
        '[',
        ']',
        ',',
        '&x ',
        '*x',
        '<<: *x',
        '"',
        "'",
        '|',
        '>',
        '#',
        '!!str ',
        '!!map ',
        '!x ',
        '${',
        '}',
        '${A}',
        '$${',
        '? ',
        '---\n',
        '...',
        '%YAML',
        '\t',
        '~',
        '1',
        '__proto__',
      ],
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
        const outcome = load(tokens.join(''), 'f', { A: 'a' });
        if (outcome.kind === 'rejected') expect(outcome.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  test('on a config with anything in any place', () => {
    fc.assert(
      fc.property(config, fc.jsonValue(), fc.nat(), (given, intruder, seed) => {
        const value: unknown = JSON.parse(JSON.stringify(given));
        const places: [Record<string, unknown>, string][] = [];
        const walk = (node: unknown): void => {
          if (typeof node !== 'object' || node === null) return;
          for (const key of Object.keys(node)) {
            places.push([node as Record<string, unknown>, key]);
            walk((node as Record<string, unknown>)[key]);
          }
        };
        walk(value);
        const [holder, key] = places[seed % places.length]!;
        holder[key] = intruder;
        const text = dump(value);
        const outcome = load(text, 'f', {});
        const problems = outcome.kind === 'rejected' ? outcome.problems : [];
        const lines = text.split('\n').length;
        for (const problem of [...problems, ...outcome.warnings]) {
          expect(problem.line).toBeGreaterThanOrEqual(1);
          expect(problem.line).toBeLessThanOrEqual(lines);
          expect(formatProblem(problem)).not.toContain('\n');
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('locate finds every value of a printed document at the place where it stands', () => {
  const leaf = fc.integer({ min: 0, max: 999_999 });
  const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z'), minLength: 1, maxLength: 5 });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.constantFrom(-1, 0, 1), (value, flowLevel) => {
      const text = dump({ root: value }, { flowLevel });
      const visit = (node: unknown, path: (string | number)[]): void => {
        if (typeof node === 'number') {
          const place = locate(text, path)!;
          expect(text.split('\n')[place.line - 1]!.slice(place.column - 1)).toMatch(new RegExp(`^${node}(?![0-9])`));
        } else if (Array.isArray(node)) node.forEach((item, index) => visit(item, [...path, index]));
        else for (const [step, inner] of Object.entries(node as object)) visit(inner, [...path, step]);
      };
      visit(value, ['root']);
    }),
  );
});

test('a config of 500 endpoints, 1000 models and 500 categories costs less than two seconds of one core', () => {
  const models = Array.from({ length: 1000 }, (_, index) => `model-${index}`);
  const text = dump({
    vllm_endpoints: Array.from({ length: 500 }, (_, index) => ({
      name: `endpoint-${index}`,
      address: `10.0.${Math.floor(index / 250)}.${index % 250}`,
      port: 8000,
      models: models.slice(index * 2, index * 2 + 2),
    })),
    model_config: Object.fromEntries(models.map((model) => [model, { quality: 0.5 }])),
    categories: Array.from({ length: 500 }, (_, index) => ({
      name: `category ${index}`,
      mmlu_categories: ['math'],
      model_scores: models.slice(0, 10).map((model) => ({ model, score: 0.5 })),
    })),
  });
  const start = process.cpuUsage();
  expect(load(text, 'f', {}).kind).toBe('loaded');
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(2000);
});
