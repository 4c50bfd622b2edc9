import { describe, expect, test } from '@jest/globals';
import { formatPath, formatProblem } from '../../../src/config/problem.ts';
import { select } from '../../../src/config/select.ts';
import { didYouMean, suggestion } from '../../../src/config/suggest.ts';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../../src/config/units.ts';
import { substitute } from '../../../src/config/variables.ts';

describe('units', () => {
  test.each([
    ['250ms', 250],
    ['2.3s', 2300],
    ['1.1s', 1100],
    ['0.5ms', 0.5],
    [' 5 m ', 300_000],
    ['1h', 3_600_000],
    ['250', null],
    ['', null],
    ['-1s', null],
    ['1e3ms', null],
    ['1 s 2', null],
    ['1d', null],
    ['s', null],
    ['1S', null],
  ])('the duration %j', (text, expected) => expect(parseDuration(text)).toBe(expected));

  test.each([
    ['1B', 1],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['1.5KiB', 1536],
    ['32MiB', 33_554_432],
    ['10 MB', 10_000_000],
    ['1GiB', 1_073_741_824],
    ['1GB', 1_000_000_000],
    ['1', null],
    ['1mb', null],
    ['1TiB', null],
  ])('the size %j', (text, expected) => expect(parseBytes(text)).toBe(expected));

  test.each([
    [250, '250ms'],
    [60_000, '1m'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [0, '0ms'],
    [0.5, '0.5ms'],
  ])('%d ms print as %s', (ms, expected) => expect(formatDuration(ms)).toBe(expected));

  test.each([
    [33_554_432, '32MiB'],
    [1_000_000, '1000000B'],
    [1536, '1536B'],
    [2048, '2KiB'],
  ])('%d bytes print as %s', (bytes, expected) => expect(formatBytes(bytes)).toBe(expected));
});

describe('did you mean', () => {
  const known = ['address', 'port', 'models', 'qwen3-72b', 'qwen3-8b', 'api_key_env'];
  test.each([
    ['adress', 'address'],
    ['ADDRESS', 'address'],
    ['prot', 'port'],
    ['qwen-72b', 'qwen3-72b'],
    ['qwen3-7b', 'qwen3-72b'],
    ['mdoels', 'models'],
    ['b', null],
    ['pt', null],
    ['nothing like it', null],
    ['', null],
    ['x'.repeat(10_000), null],
  ])('%s → %s', (wrong, expected) => expect(didYouMean(wrong, known)).toBe(expected));

  test.each([
    ['Qwen3-32B-Instruct', 'did you mean "Qwen/Qwen3-32B-Instruct"?'],
    ['qwen/qwen3-32b', 'did you mean "Qwen/Qwen3-32B-Instruct"?'],
    ['8B-Instruct', 'did you mean "meta/Llama-8B-Instruct"?'],
    ['instruct', 'remove it'],
    ['nothing like it', 'remove it'],
  ])('%s: %s', (wrong, expected) => {
    const models = ['Qwen/Qwen3-32B-Instruct', 'meta/Llama-8B-Instruct'];
    expect(suggestion(wrong, models, 'remove it')).toBe(expected);
  });

  test('the first of equally near names', () => expect(didYouMean('modela', ['modelb', 'modelc'])).toBe('modelb'));
});

describe('variables', () => {
  const environment = { A: 'a', EMPTY: '', _B1: 'b' };
  test.each([
    ['${A}', 'a', []],
    ['x${A}y${_B1}', 'xayb', []],
    ['${EMPTY}', '', []],
    ['${EMPTY:-d}', 'd', []],
    ['${NO:-}', '', []],
    ['${NO:-a b: c}', 'a b: c', []],
    ['${A:-d}', 'a', []],
    ['$A $5 $ {A} $$', '$A $5 $ {A} $$', []],
    ['$${A}', '${A}', []],
    ['$$${A}', '$${A}', []],
    ['$${A}${A}', '${A}a', []],
    ['${NO}', '', ['missing NO']],
    ['${}', '${}', ['malformed ']],
    ['${A-b}', '${A-b}', ['malformed A-b']],
    ['${a b}', '${a b}', ['malformed a b']],
    ['${A', '${A', ['malformed A']],
  ])('%s', (text, expected, errors) => {
    const result = substitute(text, environment);
    expect(result.text).toBe(expected);
    expect(result.errors.map(({ kind, name }) => `${kind} ${name}`)).toEqual(errors);
  });
});

describe('paths', () => {
  test.each([
    [[], ''],
    [['a', 'b', 2, 'c'], 'a.b[2].c'],
    [['a', 'x/y.z', 'c'], 'a["x/y.z"].c'],
    [['qwen3-8b'], 'qwen3-8b'],
    [['1a'], '["1a"]'],
    [['"'], '["\\""]'],
  ])('%j prints as %s', (path, expected) => expect(formatPath(path)).toBe(expected));

  test('a problem is one line, whatever is in it', () => {
    const problem = { file: 'f', line: 1, column: 2, path: '', message: 'a\n b', allowed: '', fix: 'c\r\nd' };
    expect(formatProblem({ code: 'CONFIG_SYNTAX', ...problem })).toBe('CONFIG_SYNTAX f:1:2: a b; c d');
  });
});

test.each([
  ['a', [['a']]],
  ['a.b', []],
  [
    'a[].b',
    [
      ['a', 0, 'b'],
      ['a', 2, 'b'],
    ],
  ],
  [
    'm{}',
    [
      ['m', 'x'],
      ['m', 'y.z'],
    ],
  ],
  [
    'm{}.b[]',
    [
      ['m', 'y.z', 'b', 0],
      ['m', 'y.z', 'b', 1],
    ],
  ],
  ['a{}', []],
  ['toString', []],
])('select %s', (pattern, paths) => {
  const root = { a: [{ b: 1 }, 5, { b: null }], m: { x: 1, 'y.z': { b: [1, 2] } } };
  expect(select(root, pattern).map(({ path }) => path)).toEqual(paths);
});
