/**
 * The table of tokens and of pairs of neighbouring tokens that stands in for the encoder; training/switchyard_training/table.py defines it,
 * and the graph adds the same table to what the encoder says. A text's category logits are bias + Σ v · weights[row] over the distinct rows
 * of its tokens and pairs, where v grows with 1 + ln(count) and the squares of all v sum to 1. Pure arithmetic, a fraction of a millisecond
 * for a full window.
 */
import { messageOf } from '../errors.ts';
import { allFinite, softmax } from './heads.ts';
import { readSafetensors, type Safetensors } from './safetensors.ts';

/** Logits in int8, a scale for each label's column. The temperature is part of the numbers. */
export interface StaticTable {
  /** [rows × labels], row by row: the tokens' rows, then those that the pairs share by a hash. */
  readonly weights: Int8Array;
  /** How many rows are tokens'. A token beyond them weighs nothing. */
  readonly vocabulary: number;
  /** [labels]. */
  readonly scale: Float32Array;
  /** [labels]. */
  readonly bias: Float32Array;
}

export type StaticTableOutcome =
  { readonly kind: 'valid'; readonly table: StaticTable } | { readonly kind: 'invalid'; readonly problem: string };

/** A pair's row among those of the pairs is (first · 31337 + second · 7919) mod their number. Below 2^53 for any vocabulary under 10^11. */
const FIRST_FACTOR = 31_337;
const SECOND_FACTOR = 7_919;

/**
 * Category probabilities [labels] of a text's token ids, [CLS] and [SEP] left out. A row that training never saw is all zeros, so that
 * strange words lower the confidence; without any token the bias alone speaks.
 */
export function staticProbabilities(table: StaticTable, ids: readonly number[]): number[] {
  const { weights, scale, bias } = table;
  const sums = new Float64Array(bias.length);
  let squares = 0;
  for (const [row, count] of rowCounts(table, ids)) {
    const value = 1 + Math.log(count);
    squares += value * value;
    const start = row * bias.length;
    for (let label = 0; label < sums.length; label += 1) {
      // A token beyond the table has no weights.
      sums[label] = (sums[label] ?? 0) + value * (weights[start + label] ?? 0);
    }
  }
  const length = Math.sqrt(Math.max(1, squares));
  return softmax(sums.map((sum, label) => (bias[label] ?? 0) + ((scale[label] ?? 0) * sum) / length));
}

/** How often each row of the table stands for a token or a pair of the text. */
function rowCounts({ weights, vocabulary, bias }: StaticTable, ids: readonly number[]): ReadonlyMap<number, number> {
  const tableRows = weights.length / bias.length;
  const pairRows = tableRows - vocabulary;
  const counts = new Map<number, number>();
  const count = (row: number): void => void counts.set(row, (counts.get(row) ?? 0) + 1);
  let before = -1;
  for (const id of ids) {
    count(id < vocabulary ? id : tableRows + id);
    if (before >= 0 && pairRows > 0) count(vocabulary + ((before * FIRST_FACTOR + id * SECOND_FACTOR) % pairRows));
    before = id;
  }
  return counts;
}

/** The layout that this version reads. */
const FORMAT = 'switchyard-static-3';

/**
 * Reads a safetensors file with `weights` I8 [rows, labels], `scale` F32 [labels] and `bias` F32 [labels]; its metadata say how many rows are
 * tokens'. The labels that it was trained for must be those of the manifest, in that order.
 */
export function parseStaticTable(file: Uint8Array, labels: readonly string[]): StaticTableOutcome {
  try {
    return { kind: 'valid', table: tableOf(readSafetensors(file), labels) };
  } catch (thrown) {
    return { kind: 'invalid', problem: messageOf(thrown) };
  }
}

function tableOf(file: Safetensors, labels: readonly string[]): StaticTable {
  if (file.metadata['format'] !== FORMAT) throw new Error(`its format is not ${FORMAT}`);
  const own: unknown = JSON.parse(String(file.metadata['labels']));
  if (JSON.stringify(own) !== JSON.stringify(labels)) throw new Error('its labels are not those of outputs.category');
  const weights = file.tensor('weights', 'I8');
  if (weights.shape.length !== 2 || weights.shape[1] !== labels.length) {
    throw new Error(`weights: [rows, ${labels.length}] is needed`);
  }
  const vocabulary = Number(file.metadata['tokens']);
  if (!Number.isInteger(vocabulary) || vocabulary < 1 || vocabulary > (weights.shape[0] ?? 0)) {
    throw new Error('tokens: the number of rows that belong to tokens is needed, 1 to all rows');
  }
  const floats = (name: string): Float32Array => {
    const values = new Float32Array(file.tensor(name, 'F32').bytes);
    if (values.length === labels.length && allFinite(values)) return values;
    throw new Error(`${name}: ${labels.length} finite numbers are needed`);
  };
  return { weights: new Int8Array(weights.bytes), vocabulary, scale: floats('scale'), bias: floats('bias') };
}
