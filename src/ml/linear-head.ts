import { messageOf } from '../errors.ts';

/** Logits = weights · embedding + bias. The temperature is part of the numbers. */
export interface LinearHead {
  /** [labels × dims], row by row. */
  readonly weights: Float32Array;
  /** [labels]. */
  readonly bias: Float32Array;
}

export interface HeadShape {
  readonly labels: number;
  readonly dims: number;
}

export type HeadOutcome =
  { readonly kind: 'valid'; readonly head: LinearHead } | { readonly kind: 'invalid'; readonly problem: string };

/** Logits [labels] of one embedding [dims]; about 1 µs a label at 384 dimensions. */
export function applyHead({ weights, bias }: LinearHead, embedding: ArrayLike<number>): Float32Array {
  const dims = embedding.length;
  if (bias.length * dims !== weights.length) throw new Error(`the head is not [${bias.length}, ${dims}]`);
  return bias.map((start, label) => {
    let sum = start;
    const offset = label * dims;
    for (let column = 0; column < dims; column += 1) {
      sum += (weights[offset + column] ?? 0) * (embedding[column] ?? 0);
    }
    return sum;
  });
}

/** The text of a head's file: `{"weights": [[…], …], "bias": […]}`, float32 with nine significant digits, so that nothing is lost. */
export function printHead({ weights, bias }: LinearHead): string {
  const dims = weights.length / bias.length;
  const digits = (values: Float32Array): string =>
    Array.from(values, (value) => Number(value.toPrecision(9))).join(',');
  const rows = Array.from(bias, (_, label) => `[${digits(weights.subarray(label * dims, (label + 1) * dims))}]`);
  return `{"weights":[\n${rows.join(',\n')}\n],"bias":[${digits(bias)}]}\n`;
}

/** Reads that text; refuses another shape and numbers that are not finite in float32. */
export function parseHead(text: string, { labels, dims }: HeadShape): HeadOutcome {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    return { kind: 'invalid', problem: `not JSON: ${messageOf(thrown)}` };
  }
  const { weights, bias } = (value ?? {}) as { weights?: unknown; bias?: unknown };
  const offsets = floats(bias, labels);
  if (offsets === null) return { kind: 'invalid', problem: `bias: ${labels} finite numbers are needed` };
  if (!Array.isArray(weights) || weights.length !== labels) {
    return { kind: 'invalid', problem: `weights: ${labels} rows are needed` };
  }
  const matrix = new Float32Array(labels * dims);
  for (const [label, row] of weights.entries()) {
    const values = floats(row, dims);
    if (values === null) return { kind: 'invalid', problem: `weights[${label}]: ${dims} finite numbers are needed` };
    matrix.set(values, label * dims);
  }
  return { kind: 'valid', head: { weights: matrix, bias: offsets } };
}

function floats(value: unknown, length: number): Float32Array | null {
  if (!Array.isArray(value) || value.length !== length) return null;
  if (!value.every((item) => typeof item === 'number' && Number.isFinite(Math.fround(item)))) return null;
  return Float32Array.from(value as readonly number[]);
}
