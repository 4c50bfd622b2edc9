import { describe, expect, test } from '@jest/globals';
import { locate, placesIn } from '../../../src/config/locate.ts';

const TEXT = `# heading
a: 1
b:
  c: "two"   # comment
  'd e':
    - 3
    - { f: 4, g: [5, 6] }
    -   - 7
h: |
  long
  text
i: &anchor
  j: 8
k: *anchor
l: { <<: *anchor, m: 9 }
n:
`;

describe('locate', () => {
  test.each([
    [['a'], '2:4', '2:1'],
    [['b'], '4:3', '3:1'],
    [['b', 'c'], '4:6', '4:3'],
    [['b', 'd e'], '6:5', '5:3'],
    [['b', 'd e', 0], '6:7', '6:7'],
    [['b', 'd e', 1], '7:7', '7:7'],
    [['b', 'd e', 1, 'f'], '7:12', '7:9'],
    [['b', 'd e', 1, 'g'], '7:18', '7:15'],
    [['b', 'd e', 1, 'g', 1], '7:22', '7:22'],
    [['b', 'd e', 2, 0], '8:11', '8:11'],
    [['i', 'j'], '13:6', '13:3'],
    [['k'], '14:4', '14:1'],
    [['k', 'j'], '13:6', '13:3'],
    [['l', 'j'], '13:6', '13:3'],
    [['l', 'm'], '15:22', '15:19'],
    // Nothing stands after the colon: its key is the place.
    [['n'], '16:1', '16:1'],
    // What is absent is located by what should hold it.
    [['absent'], '2:1', '2:1'],
    [['b', 'absent', 0, 'more'], '4:3', '3:1'],
    [['b', 'd e', 9], '6:5', '5:3'],
    [['a', 'b', 'c'], '2:4', '2:1'],
    [[], '2:1', '2:1'],
  ] as const)('%j', (path, value, key) => {
    const print = (place: { line: number; column: number } | null) =>
      place === null ? 'nowhere' : `${place.line}:${place.column}`;
    expect(print(locate(TEXT, path, 'value'))).toBe(value);
    expect(print(locate(TEXT, path, 'key'))).toBe(key);
  });

  test('no place in what is not YAML', () => {
    expect(locate('a: [', ['a'])).toBeNull();
  });
});

describe('placesIn', () => {
  test.each([
    ['', 0, '1:1'],
    ['ab', 1, '1:2'],
    ['a\nb', 2, '2:1'],
    ['a\r\nb', 3, '2:1'],
    ['a\rb', 2, '2:1'],
    ['\uFEFFa', 1, '1:1'],
    ['\uFEFFa\nb', 3, '2:1'],
    ['ab', 99, '1:3'],
    ['ab', -1, '1:1'],
  ])('%j at %d', (text, offset, expected) => {
    const { line, column } = placesIn(text)(offset);
    expect(`${line}:${column}`).toBe(expected);
  });
});
