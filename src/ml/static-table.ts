/**
 * The table of tokens that stands in for the encoder; training/switchyard_training/static.py makes it. A text's category logits are
 * bias + Σ w(token) · weights[token] over its distinct tokens, with w = 1 + ln(count), scaled to length 1 over the text. Pure arithmetic,
 * a few microseconds for a full window.
 */
import { messageOf } from '../errors.ts';
import { allFinite, softmax } from './heads.ts';
import { readSafetensors, type Safetensors } from './safetensors.ts';

/** Logits by token in int8, a scale for each label's column. The temperature is part of the numbers. */
export interface StaticTable {
  /** [tokens × labels], row by row; a token beyond the last row weighs nothing. */
  readonly weights: Int8Array;
  /** [labels]. */
  readonly scale: Float32Array;
  /** [labels]. */
  readonly bias: Float32Array;
}

export type StaticTableOutcome =
  { readonly kind: 'valid'; readonly table: StaticTable } | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Category probabilities [labels] of a text's token ids, [CLS] and [SEP] left out. A token that training never saw has a row of zeros, so that
 * strange words lower the confidence; without any token the bias alone speaks.
 */
export function staticProbabilities({ weights, scale, bias }: StaticTable, ids: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const sums = new Float64Array(bias.length);
  let squares = 0;
  for (const [id, count] of counts) {
    const weight = 1 + Math.log(count);
    squares += weight * weight;
    for (let label = 0; label < bias.length; label += 1) {
      sums[label] = (sums[label] ?? 0) + weight * (weights[id * bias.length + label] ?? 0);
    }
  }
  const length = counts.size === 0 ? 1 : Math.sqrt(squares);
  return softmax(sums.map((sum, label) => (bias[label] ?? 0) + ((scale[label] ?? 0) * sum) / length));
}

/** The layout that this version reads. */
const FORMAT = 'switchyard-static-1';

/**
 * Reads a safetensors file with `weights` I8 [tokens, labels], `scale` F32 [labels] and `bias` F32 [labels]. The labels that it was trained for
 * must be those of the manifest, in that order.
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
    throw new Error(`weights: [tokens, ${labels.length}] is needed`);
  }
  const floats = (name: string): Float32Array => {
    const values = new Float32Array(file.tensor(name, 'F32').bytes);
    if (values.length === labels.length && allFinite(values)) return values;
    throw new Error(`${name}: ${labels.length} finite numbers are needed`);
  };
  return { weights: new Int8Array(weights.bytes), scale: floats('scale'), bias: floats('bias') };
}
