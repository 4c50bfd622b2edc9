import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { validate } from '../../../src/cascade/json-schema.ts';

const row = (schema: unknown, valid: readonly unknown[], invalid: readonly unknown[]) =>
  [schema, valid, invalid] as const;

describe('keywords', () => {
  test.each([
    row(true, [1, null], []),
    row(false, [], [1, null]),
    row({}, [1, 'a', null, [], {}], []),
    row('no schema', [1], []),
    row({ type: 'integer' }, [1, 1.0, -3], [1.5, '1', null]),
    row({ type: ['string', 'null'] }, ['', null], [1, {}]),
    row({ type: 'object' }, [{}], [[], null]),
    row({ type: 'array' }, [[]], [{}]),
    row({ enum: ['a', { b: [1] }] }, ['a', { b: [1] }], ['b', { b: [2] }, { b: [1], c: 1 }]),
    row({ const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], [{ a: 1 }, null]),
    row({ const: null }, [null], [0, false]),
    row({ minimum: 1, maximum: 3 }, [1, 3, 'x'], [0.9, 3.1]),
    row({ exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2], [1, 3]),
    row({ multipleOf: 0.1 }, [0.3, 1], [0.35]),
    row({ minLength: 2, maxLength: 3 }, ['ab', '😀é', 5], ['a', 'abcd', '😀']),
    row({ pattern: '^[a-z]+$' }, ['abc', 1], ['ab1', '']),
    row({ pattern: '[0-9]' }, ['a1b'], ['ab']),
    row({ required: ['a'] }, [{ a: null }, 'x'], [{}, { b: 1 }]),
    row({ properties: { a: { type: 'string' } } }, [{}, { a: 'x' }, { b: 1 }], [{ a: 1 }]),
    row({ properties: { a: {} }, additionalProperties: false }, [{ a: 1 }], [{ b: 1 }]),
    row({ additionalProperties: { type: 'number' } }, [{ a: 1 }], [{ a: 'x' }]),
    row({ patternProperties: { '^x-': { type: 'number' } }, additionalProperties: false }, [{ 'x-a': 1 }], [{ 'x-a': '' }, { y: 1 }]), // prettier-ignore
    row({ propertyNames: { maxLength: 2 } }, [{ ab: 1 }], [{ abc: 1 }]),
    row({ minProperties: 1, maxProperties: 2 }, [{ a: 1 }], [{}, { a: 1, b: 1, c: 1 }]),
    row({ dependentRequired: { a: ['b'] } }, [{ a: 1, b: 1 }, { b: 1 }], [{ a: 1 }]),
    row({ items: { type: 'number' } }, [[], [1, 2]], [[1, 'a']]),
    row({ prefixItems: [{ type: 'number' }], items: false }, [[], [1]], [['a'], [1, 2]]),
    row({ items: [{ type: 'number' }], additionalItems: { type: 'string' } }, [[1, 'a']], [[1, 2], ['a']]),
    row({ minItems: 1, maxItems: 2 }, [[1]], [[], [1, 2, 3]]),
    row(
      { uniqueItems: true },
      [[1, '1', [1], { a: 1 }]],
      [
        [1, 1],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    ),
    row({ contains: { const: 1 } }, [[2, 1]], [[], [2]]),
    row({ contains: { const: 1 }, minContains: 0, maxContains: 1 }, [[], [1]], [[1, 1]]),
    row({ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1], [0, 3]),
    row({ anyOf: [{ type: 'string' }, { minimum: 5 }] }, ['a', 6], [4]),
    row({ oneOf: [{ minimum: 1 }, { minimum: 5 }] }, [2], [0, 6]),
    row({ not: { type: 'string' } }, [1], ['a']),
    row({ if: { minimum: 10 }, then: { multipleOf: 10 }, else: { maximum: 5 } }, [20, 3], [15, 7]),
    row({ $defs: { n: { type: 'number' } }, items: { $ref: '#/$defs/n' } }, [[1]], [['a']]),
    row({ definitions: { 'a/b': { type: 'null' } }, $ref: '#/definitions/a~1b' }, [null], [1]),
    row({ properties: { next: { $ref: '#' } }, required: ['v'] }, [{ v: 1, next: { v: 2 } }], [{ v: 1, next: {} }]),
    row({ format: 'email', unevaluatedProperties: false, type: 'string' }, ['not an address'], [1]),
    row({ properties: { __proto__: { type: 'number' } }, required: ['constructor'] }, [], [{}]),
  ])('%j', (schema, valid, invalid) => {
    for (const value of valid) expect([value, validate(schema, value)]).toEqual([value, 'valid']);
    for (const value of invalid) expect([value, validate(schema, value)]).toEqual([value, 'invalid']);
  });
});

describe('schemas that mean harm', () => {
  /** Each definition asks for the next one twice: 2^n subschemas from a few lines. */
  const doubling = (levels: number) => ({
    $ref: '#/$defs/d0',
    $defs: Object.fromEntries([
      ...Array.from({ length: levels }, (_, level) => {
        const next = { $ref: `#/$defs/d${level + 1}` };
        return [`d${level}`, { anyOf: [next, next] }];
      }),
      [`d${levels}`, { type: 'string' }],
    ]),
  });
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

  test.each([
    ['an exponential choice', doubling(60), 1],
    ['a schema that is itself', { $ref: '#' }, 1],
    ['a schema that is itself or nothing', { anyOf: [{ $ref: '#' }] }, 1],
    ['a circle', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, 1],
    ['not itself', { not: { $ref: '#' } }, 1],
    ['a reference into the net', { $ref: 'https://example.org/schema.json' }, 1],
    ['a reference to nowhere', { $ref: '#/$defs/gone' }, 1],
    ['a reference to an anchor', { $ref: '#anchor' }, 1],
    ['deeper than anybody writes', { items: { $ref: '#' } }, nested(5000)],
    ['values too deep to compare', { const: nested(100_000) }, nested(100_000)],
    ['a long list of all different objects', { uniqueItems: true }, Array.from({ length: 3000 }, (_, id) => ({ id }))],
    [
      'a long list of texts to search',
      { items: { pattern: 'x$' } },
      Array.from({ length: 200 }, () => 'x'.repeat(9000)),
    ],
  ])('%s stays undecided', (_, schema, value) => {
    expect(validate(schema, value)).toBe('unknown');
  });

  test('a choice that is decided before the budget ends is decided', () => {
    expect(validate(doubling(10), 'text')).toBe('valid');
    expect(validate(doubling(10), 1)).toBe('invalid');
    expect(validate(doubling(60), 'text')).toBe('valid');
  });

  test.each([
    ['backtracking', '(a+)+$', 'a'.repeat(5000) + 'b', 'invalid'],
    ['look-ahead', '^(?=x)y', 'z', 'valid'],
    ['broken', '(', 'z', 'valid'],
    ['huge', '(((a{100}){100}){10})', 'z', 'valid'],
    ['a text that is too long to search', '^b', 'a'.repeat(20_000), 'valid'],
  ])('a pattern: %s', (_, pattern, value, verdict) => {
    expect(validate({ pattern }, value)).toBe(verdict);
  });

  test('more patterns than there is time to compile', () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`^[a-z]{1,20}x${n}(foo|bar)*$`, false]));
    expect(validate({ patternProperties: many(20), minProperties: 1 }, { a: 1, ax7foo: 1 })).toBe('invalid');
    expect(validate({ patternProperties: many(2000) }, { a: 1 })).toBe('unknown');
  });

  test('whatever the schema, there is a verdict', () => {
    const words = ['type', 'enum', 'items', 'properties', '$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'pattern', 'required', 'minItems', 'multipleOf', 'if', 'then', 'contains', 'patternProperties', 'uniqueItems', 'prefixItems', 'dependentRequired']; // prettier-ignore
    const { schema } = fc.letrec((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(null, true, '#', '#/x', 'string', -1, 0.5, ['a'], '['),
        fc.array(tie('schema'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...words), tie('schema'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(schema, fc.jsonValue(), (given, value) => {
        expect(['valid', 'invalid', 'unknown']).toContain(validate(given, value));
      }),
      { numRuns: 500 },
    );
  });
});
