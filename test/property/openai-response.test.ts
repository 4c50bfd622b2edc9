import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnswerReader, type AnswerFacts } from '../../src/openai/response.ts';
import { cuts, jsonDocument, ran } from './openai-json-arbitraries.ts';

function read(format: 'json' | 'sse', pieces: readonly Uint8Array[]): AnswerFacts {
  const reader = new AnswerReader(format);
  for (const piece of pieces) reader.push(piece);
  return reader.facts();
}

const tokens = fc.oneof(fc.nat(100_000), fc.constant(null));
const usage = fc.oneof(
  fc.constant(null),
  fc.record({ prompt_tokens: tokens, completion_tokens: tokens, total_tokens: tokens }, { requiredKeys: [] }),
);
const chunk = fc.record(
  {
    id: fc.string({ unit: 'grapheme', maxLength: 5 }),
    model: fc.constantFrom('m/1', 'é "2"'),
    choices: fc.array(
      fc.record({
        delta: fc.record({ content: fc.constantFrom('"usage":{"prompt_tokens":9}', '\\"', 'data: x\n\n', '😀') }),
        finish_reason: fc.constantFrom(null, 'stop', 'length'),
      }),
      { maxLength: 2 },
    ),
    usage,
  },
  { requiredKeys: ['choices'] },
);

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
/** A stream as servers and proxies write it: comments, other fields, any line ends, data over several lines. */
const stream = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.tuple(
        chunk,
        lineEnd,
        fc.constantFrom('', ':ping', 'event: x', 'id', 'database: {"model":"no"}'),
        fc.boolean(),
      ),
    ),
    fc.constantFrom('', 'data: [DONE]', 'data:[DONE]'),
  )
  .map(([mark, events, last]) => {
    const lines = events.map(([value, end, other, spread]) => {
      const json = spread ? JSON.stringify(value, null, 1).replaceAll('\n', `${end}data: `) : JSON.stringify(value);
      return `${other === '' ? '' : `${other}${end}`}data: ${json}${end}${end}`;
    });
    return {
      bytes: Buffer.from(`${mark ? '\ufeff' : ''}${lines.join('')}${last === '' ? '' : `${last}\n\n`}`),
      chunks: events.map(([value]) => value),
      done: last !== '',
    };
  });

test('an event stream says the same in any chunking, and what its events say', () => {
  const cutStream = stream.chain((made) => fc.tuple(fc.constant(made), cuts(made.bytes)));
  fc.assert(
    fc.property(cutStream, ([{ bytes, chunks, done }, pieces]) => {
      const whole = read('sse', [bytes]);
      expect(read('sse', pieces)).toEqual(whole);
      expect(
        read(
          'sse',
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(whole);
      expect(whole.events).toBe(chunks.length);
      expect(whole.complete).toBe(done);
      expect(whole.model).toBe(chunks.find((value) => value.model !== undefined)?.model ?? null);
      expect(whole.finishReasons).toEqual(
        chunks.flatMap((value) => value.choices.flatMap(({ finish_reason: reason }) => reason ?? [])),
      );
      const last = chunks.findLast((value) => (value.usage ?? null) !== null)?.usage;
      expect(whole.promptTokens).toBe(last?.prompt_tokens ?? null);
      expect(whole.completionTokens).toBe(last?.completion_tokens ?? null);
      expect(bytes.toString('utf8', whole.firstDataAt ?? 0)).toMatch(chunks.length > 0 ? /^\{/ : /^/);
    }),
    ran(800),
  );
});

test('a JSON answer says the same in any chunking', () => {
  const answer = fc.tuple(chunk, fc.nat(3)).map(([value, indent]) => Buffer.from(JSON.stringify(value, null, indent)));
  fc.assert(
    fc.property(
      answer.chain((bytes) => fc.tuple(fc.constant(bytes), cuts(bytes))),
      ([bytes, pieces]) => {
        const value = JSON.parse(bytes.toString()) as { model?: string; usage?: { prompt_tokens?: number | null } };
        const facts = read('json', pieces);
        expect(facts).toEqual(read('json', [bytes]));
        expect(facts.complete).toBe(true);
        expect(facts.model).toBe(value.model ?? null);
        expect(facts.promptTokens).toBe(value.usage?.prompt_tokens ?? null);
      },
    ),
    ran(800),
  );
});

test('any bytes are read without a throw, and the same in any chunking', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom(...Array.from('{}[]",:\\ \n\rdata[DONE]model')), { maxLength: 60 })
      .map((all) => new Uint8Array(Buffer.from(all.join('')))),
    jsonDocument().map((text) => new Uint8Array(Buffer.from(`{"usage":${text},"model":"m"}`))),
  );
  fc.assert(
    fc.property(
      noise.chain((bytes) => fc.tuple(fc.constant(bytes), cuts(bytes))),
      fc.constantFrom('json' as const, 'sse' as const),
      ([bytes, pieces], format) => {
        expect(read(format, pieces)).toEqual(read(format, [bytes]));
      },
    ),
    ran(3000),
  );
});
