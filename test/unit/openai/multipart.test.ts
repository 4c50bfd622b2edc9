import { describe, expect, test } from '@jest/globals';
import { multipartBoundary } from '../../../src/openai/multipart.ts';
import { parseRequest, type ParseOutcome } from '../../../src/openai/parse.ts';
import { rewriteBody } from '../../../src/rewrite/body.ts';

const PATH = '/v1/audio/transcriptions';
const TYPE = 'multipart/form-data; boundary=xyz';

function part(disposition: string, value: string): string {
  return `--xyz\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
}

function parse(text: string, contentType = TYPE): ParseOutcome {
  return parseRequest(Buffer.from(text, 'latin1'), { path: PATH, maxDepth: 10, contentType });
}

const FILE = part('name="file"; filename="a; name=model; \\" .wav"', 'RIFF\u0000\r\n\r\n--xy\u00ff\u00fe');

test.each([
  ['in front', `${part('name="model"', 'whisper')}${FILE}--xyz--\r\n`],
  ['behind a file', `${FILE}${part('name="model"', 'whisper')}--xyz--`],
  [
    'unquoted, with a type',
    `--xyz\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: form-data; NAME=model\r\n\r\nwhisper\r\n--xyz--`,
  ],
  ['after a preamble', `to be ignored\r\n${part('name="model"', 'whisper')}--xyz--`],
  ['repeated: the last counts', `${part('name="model"', 'x')}${part('name="model"', 'whisper')}--xyz--`],
])('the model is found %s', (_, text) => {
  expect(parse(text)).toMatchObject({
    kind: 'request',
    request: { kind: 'other', model: 'whisper', isMultipart: true },
  });
});

test('the model is rewritten and every other byte stays', () => {
  const text = `${part('name="model"', 'a')}${FILE}${part('name="model"', 'b')}--xyz--\r\n`;
  const outcome = parse(text);
  if (outcome.kind === 'invalid') throw new Error(outcome.error.message);
  const { body } = rewriteBody(Buffer.from(text, 'latin1'), outcome.request, {
    model: 'org/whisper',
    reasoning: { kind: 'chat_template_kwargs', parameter: 'thinking', enabled: true },
    systemPrompt: { text: 'P', mode: 'insert', source: 't' },
    callerReasoningWins: true,
    strip: ['file'],
  });
  expect(Buffer.from(body).toString('latin1')).toBe(
    `${part('name="model"', 'org/whisper')}${FILE}${part('name="model"', 'org/whisper')}--xyz--\r\n`,
  );
});

describe('what is refused', () => {
  test.each([
    ['no model', `${FILE}--xyz--`, 'missing_required_parameter'],
    ['a file called model', `${part('name="model"; filename="m"', 'x')}--xyz--`, 'missing_required_parameter'],
    ['an empty model', `${part('name="model"', '')}--xyz--`, 'invalid_value'],
    ['a long model', `${part('name="model"', 'x'.repeat(5000))}--xyz--`, 'string_above_max_length'],
    ['a model that is not UTF-8', `${part('name="model"', '\u00ff')}--xyz--`, 'invalid_utf8'],
    ['no end', part('name="model"', 'whisper'), 'invalid_multipart'],
    ['no boundary in it', 'hello', 'invalid_multipart'],
    ['headers without end', `--xyz\r\n${'x'.repeat(20_000)}\r\n\r\n--xyz--`, 'invalid_multipart'],
    ['too many parts', `${part('name="x"', '1').repeat(1001)}--xyz--`, 'invalid_multipart'],
  ])('%s', (_, text, code) => {
    expect(parse(text)).toMatchObject({ kind: 'invalid', error: { status: 400, code } });
  });
});

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data;charset=utf-8; Boundary="a b;c"', 'a b;c'],
  ['multipart/form-data', null],
  [`multipart/form-data; boundary=${'x'.repeat(71)}`, null],
  ['multipart/mixed; boundary=abc', null],
  ['application/json', null],
])('the boundary of %j is %j', (type, expected) => {
  expect(multipartBoundary(type)).toBe(expected);
});

test('a long file is searched in steps, a delimiter across two of them found', () => {
  const head = part('name="file"; filename="f"', '').slice(0, -2);
  for (const shift of [0, 1, 3, 7]) {
    const filler = 'x'.repeat(2 * 1024 * 1024 - shift);
    expect(parse(`${head}${filler}\r\n${part('name="model"', 'm')}--xyz--`)).toMatchObject({ kind: 'request' });
  }
});
