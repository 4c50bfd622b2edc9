/** Values as JSON.parse makes them: what they are, and when two are the same. */
import { isRecord } from '../record.ts';

/** Equal as JSON: members in any order. `spend` hears of each comparison and may throw to end it. */
export function equalJson(one: unknown, other: unknown, spend: (steps: number) => void): boolean {
  spend(1);
  if (one === other) return true;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => equalJson(item, (other as unknown[])[index], spend));
  }
  if (!isRecord(one) || !isRecord(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && equalJson(one[key], other[key], spend));
}

/** Whether an element stands in the list twice. Plain values are found by a set, so that a long list of them costs no square of its length. */
export function repeats(values: readonly unknown[], spend: (steps: number) => void): boolean {
  spend(values.length / 10);
  const plain = values.filter((value) => typeof value !== 'object' || value === null);
  if (new Set(plain).size < plain.length) return true;
  const nested = values.filter((value) => typeof value === 'object' && value !== null);
  return nested.some((value, index) => nested.slice(0, index).some((earlier) => equalJson(value, earlier, spend)));
}
