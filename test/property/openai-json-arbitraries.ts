/** JSON as text, not as values: white space, escapes, long numbers and duplicate keys that no serialiser would write. */
import fc from 'fast-check';

/** Runs for fast-check: few enough that a file stays under some seconds. */
export function ran(numRuns: number): { numRuns: number } {
  return { numRuns };
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\r\n');

const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1e5',
    '-1.50E+03',
    '0.10',
    '12345678901234567890',
    '98765432109876543210987',
    '1e-400',
  ),
);

const escape = fc.constantFrom('\\n', '\\"', '\\\\', '\\/', '\\u0041', '\\ud83d\\ude00', '\\ud800', '\\u00e9', '\\b');
const literal = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }).map((t) => JSON.stringify(t).slice(1, -1)),
      },
      escape,
    ),
    {
      maxLength: 4,
    },
  )
  .map((pieces) => `"${pieces.join('')}"`);

/** Few keys, so that duplicates come; some of them written with escapes. */
const key = fc.oneof(literal, fc.constantFrom('"a"', '"b"', '"\\u0061"', '""', '"__proto__"'));

/** Any JSON value as text. */
export const jsonValue: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(number, literal, fc.constantFrom('true', 'false', 'null')),
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((items) => `[${items.map((i) => i.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, key, space, space, tie('value'), space), { maxLength: 4 })
      .map((items) => `{${items.map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`).join(',')}}`),
  ),
})).value;

export function jsonDocument(): fc.Arbitrary<string> {
  return fc.tuple(space, jsonValue, space).map((pieces) => pieces.join(''));
}

/** A document, or one with a few characters put in, taken out or changed: most of them broken, some still JSON. */
export function jsonWithBreakage(): fc.Arbitrary<string> {
  const character = fc.constantFrom(...Array.from('{}[]:,"\\ \n\t0123456789.eE+-truefalsn\u0001\ufeffué'));
  const change = fc.tuple(fc.nat(200), fc.constantFrom('insert', 'delete', 'replace'), character);
  return fc.tuple(jsonDocument(), fc.array(change, { maxLength: 2 })).map(([text, changes]) => {
    let broken = text;
    for (const [position, how, put] of changes) {
      const at = position % (broken.length + 1);
      broken = broken.slice(0, at) + (how === 'delete' ? '' : put) + broken.slice(how === 'insert' ? at : at + 1);
    }
    return broken;
  });
}

/** Bytes, cut at any places. */
export function cuts(bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  return fc.array(fc.nat(bytes.length), { maxLength: 12 }).map((places) => {
    const ordered = [0, ...places.sort((a, b) => a - b), bytes.length];
    return ordered.slice(1).map((end, index) => bytes.subarray(ordered[index], end));
  });
}
