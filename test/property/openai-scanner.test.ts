import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonScanner } from '../../src/openai/json/scanner.ts';
import { skipPlain, wordsOf } from '../../src/openai/json/plain-run.ts';
import { ARRAY, ESCAPED_STRING, NUMBER, OBJECT, STRING } from '../../src/openai/json/tape.ts';
import { bufferOver, checkUtf8, decodeLong } from '../../src/openai/json/text.ts';
import { jsonDocument, jsonWithBreakage, ran } from './openai-json-arbitraries.ts';

const OPTIONS = { maxDepth: 10_000, recordDepth: () => 100, maxRows: 1_000_000, maxMembers: 1_000_000 };

function scan(text: string, slice = 1 << 20): JsonScanner {
  const scanner = new JsonScanner(Buffer.from(text), OPTIONS);
  while (!scanner.step(slice));
  return scanner;
}

function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

describe('the scanner', () => {
  test('accepts exactly what JSON.parse accepts, in any slice size', () => {
    fc.assert(
      fc.property(jsonWithBreakage(), fc.integer({ min: 1, max: 200 }), (text, slice) => {
        const expected = accepts(() => JSON.parse(text));
        const whole = scan(text);
        const sliced = scan(text, slice);
        expect(whole.failure === null).toBe(expected);
        expect(sliced.failure).toEqual(whole.failure);
        expect(sliced.tape.rows).toBe(whole.tape.rows);
      }),
      { numRuns: 3000 },
    );
  });

  test.each(
    [
      '',
      ' ',
      '-',
      '0',
      '-0',
      '01',
      '1.',
      '.1',
      '1e',
      '1e+',
      '1E-07',
      '-1.5e+3 ',
      '+1',
      '1 1',
      '"',
      '"\\"',
      '"\\u12"',
      '"\\u12G4"',
      '"\\ud800"',
      '"\\x"',
      '"\\',
      '"\t"',
      '"\u007f"',
      '"\u2028"',
      'nul',
      'nulll',
      'true false',
      'True',
      'NaN',
      'Infinity',
      '[',
      '[]',
      '[,]',
      '[1,]',
      '[1 2]',
      '[}',
      '{',
      '{}',
      '{,}',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{"a":1 "b":2}',
      '{a:1}',
      "{'a':1}",
      '{"a":1}}',
      '{"a":1]',
      '[1]//',
      '\ufeff1',
      '\u00a01',
      '\u000b1',
      '[1]\u0000',
    ].map((text) => [text]),
  )('agrees with JSON.parse on %j', (text) => {
    expect(scan(text).failure === null).toBe(accepts(() => JSON.parse(text)));
    expect(scan(text, 1).failure === null).toBe(accepts(() => JSON.parse(text)));
  });

  test('records spans whose bytes are the values', () => {
    fc.assert(
      fc.property(jsonDocument(), (text) => {
        const bytes = Buffer.from(text);
        const { tape } = scan(text);
        const rebuild = (row: number): unknown => {
          const slice = bytes.toString('utf8', tape.start(row), tape.end(row));
          if (tape.kind(row) === OBJECT || tape.kind(row) === ARRAY) {
            const children: unknown[] = [];
            for (let child = row + 1; child < tape.next(row); child = tape.next(child)) children.push(rebuild(child));
            expect(slice[0]).toBe(tape.kind(row) === OBJECT ? '{' : '[');
            if (tape.kind(row) === ARRAY) return children;
            const pairs: [string, unknown][] = [];
            for (let at = 0; at < children.length; at += 2) pairs.push([children[at] as string, children[at + 1]]);
            return Object.fromEntries(pairs);
          }
          if (tape.kind(row) === STRING) expect(slice).not.toContain('\\');
          if (tape.kind(row) === ESCAPED_STRING) expect(slice).toContain('\\');
          if (tape.kind(row) === NUMBER) expect(slice).toMatch(/^-?[0-9]/);
          return JSON.parse(slice);
        };
        // Only the members of objects at the top are recorded, so the root must be an object for anything to be there.
        if (tape.rows > 0 && tape.kind(0) === OBJECT)
          expect(rebuild(0)).toEqual(Object.fromEntries(Object.entries(JSON.parse(text) as object)));
      }),
      ran(500),
    );
  });
});

test('nesting up to the limit is accepted, one deeper is not, and nothing recurses', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    for (const depth of [1, 63, 64, 65, 10_000]) {
      const text = `${open.repeat(depth)}1${close.repeat(depth)}`;
      const fits = new JsonScanner(Buffer.from(text), { ...OPTIONS, maxDepth: depth });
      while (!fits.step(1000));
      expect(fits.failure).toBeNull();
      const deep = new JsonScanner(Buffer.from(text), { ...OPTIONS, maxDepth: depth - 1 });
      while (!deep.step(1000));
      expect(deep.failure?.reason).toBe('too_deep');
    }
  }
  const endless = new JsonScanner(Buffer.alloc(8 << 20, '['), { ...OPTIONS, maxDepth: Number.MAX_SAFE_INTEGER });
  while (!endless.step(1 << 20));
  expect(endless.failure?.reason).toBe('unexpected_end');
});

test('a plain run ends at the first quote, backslash or control character, at any alignment', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.integer({ min: 0, max: 7 }),
      fc.nat(80),
      fc.nat(80),
      (content, offset, from, to) => {
        const backing = new Uint8Array(content.length + offset);
        backing.set(content, offset);
        const bytes = backing.subarray(offset);
        const end = Math.min(content.length, Math.max(from, to));
        const start = Math.min(from, to, end);
        let expected = start;
        while (
          expected < end &&
          content[expected]! >= 0x20 &&
          content[expected] !== 0x22 &&
          content[expected] !== 0x5c
        ) {
          expected += 1;
        }
        expect(skipPlain(bytes, wordsOf(bytes), start, end)).toBe(expected);
      },
    ),
    ran(3000),
  );
});

test('UTF-8 is judged the same in any slice size', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => new Uint8Array(Buffer.from(text))),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 4, max: 9 }), (content, slice) => {
      const whole = finish(checkUtf8(content, 1000));
      expect(whole).toBe(accepts(() => new TextDecoder('utf-8', { fatal: true }).decode(content)));
      expect(finish(checkUtf8(content, slice))).toBe(whole);
    }),
    ran(3000),
  );
});

test('a long literal decodes to the same text in any slice size', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(text, fc.boolean(), fc.integer({ min: 1, max: 12 }), (value, unicode, slice) => {
      const plain = JSON.stringify(value);
      const literal = unicode
        ? plain.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
        : plain;
      const buffer = bufferOver(Buffer.from(literal));
      expect(finish(decodeLong(buffer, 0, buffer.length, literal.includes('\\'), slice))).toBe(JSON.parse(literal));
    }),
    ran(3000),
  );
});

function finish<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
