/** A dense matrix, row by row, in double precision. */
export interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

export function matrix(rows: number, columns: number): Matrix {
  return { values: new Float64Array(rows * columns), rows, columns };
}

/** A view of one row, not a copy. */
export function rowOf({ values, columns }: Matrix, row: number): Float64Array {
  return values.subarray(row * columns, (row + 1) * columns);
}

/** Copies the rows at `indices`, in that order. */
export function pickRows(source: Matrix, indices: readonly number[]): Matrix {
  const picked = matrix(indices.length, source.columns);
  for (const [row, index] of indices.entries()) picked.values.set(rowOf(source, index), row * source.columns);
  return picked;
}

/** Unit length for each row; a row of zeros stays. */
export function fromVectors(vectors: readonly ArrayLike<number>[]): Matrix {
  const made = matrix(vectors.length, vectors[0]?.length ?? 0);
  for (const [row, vector] of vectors.entries()) {
    made.values.set(vector, row * made.columns);
    normalize(rowOf(made, row));
  }
  return made;
}

/** Scales to length 1 in place; zeros stay. */
export function normalize(vector: Float64Array): void {
  let square = 0;
  for (const value of vector) square += value * value;
  if (square === 0) return;
  const scale = 1 / Math.sqrt(square);
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] ?? 0) * scale;
}

export function dot(one: Float64Array, two: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] ?? 0) * (two[index] ?? 0);
  return sum;
}

/** one · twoᵀ: [one.rows × two.rows]. Four rows of `two` at a time, so that each number of `one` is read once for four products. */
export function timesTransposed(one: Matrix, two: Matrix, into = matrix(one.rows, two.rows)): Matrix {
  const { columns } = one;
  const [a, b, out] = [one.values, two.values, into.values];
  const blocks = two.rows - (two.rows % 4);
  for (let row = 0; row < one.rows; row += 1) {
    const start = row * columns;
    const target = row * two.rows;
    for (let other = 0; other < blocks; other += 4) {
      const b0 = other * columns;
      const b1 = b0 + columns;
      const b2 = b1 + columns;
      const b3 = b2 + columns;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let column = 0; column < columns; column += 1) {
        const value = a[start + column] ?? 0;
        s0 += value * (b[b0 + column] ?? 0);
        s1 += value * (b[b1 + column] ?? 0);
        s2 += value * (b[b2 + column] ?? 0);
        s3 += value * (b[b3 + column] ?? 0);
      }
      out[target + other] = s0;
      out[target + other + 1] = s1;
      out[target + other + 2] = s2;
      out[target + other + 3] = s3;
    }
    for (let other = blocks; other < two.rows; other += 1) {
      let sum = 0;
      for (let column = 0; column < columns; column += 1) {
        sum += (a[start + column] ?? 0) * (b[other * columns + column] ?? 0);
      }
      out[target + other] = sum;
    }
  }
  return into;
}

/** into += oneᵀ · two: [one.columns × two.columns]. */
export function addTransposedTimes(one: Matrix, two: Matrix, into: Matrix): void {
  const { columns } = two;
  const [a, b, out] = [one.values, two.values, into.values];
  // Four rows at a time: each sum is read and written once for four products.
  const blocks = one.rows - (one.rows % 4);
  for (let row = 0; row < one.rows; row += 4) {
    const count = row < blocks ? 4 : one.rows - row;
    const b0 = row * columns;
    for (let target = 0; target < one.columns; target += 1) {
      const w0 = a[row * one.columns + target] ?? 0;
      const w1 = count > 1 ? (a[(row + 1) * one.columns + target] ?? 0) : 0;
      const w2 = count > 2 ? (a[(row + 2) * one.columns + target] ?? 0) : 0;
      const w3 = count > 3 ? (a[(row + 3) * one.columns + target] ?? 0) : 0;
      const start = target * columns;
      // Beyond the last row the weights are 0 and `?? 0` stands in for the numbers.
      for (let column = 0; column < columns; column += 1) {
        const at = b0 + column;
        out[start + column] =
          (out[start + column] ?? 0) +
          w0 * (b[at] ?? 0) +
          w1 * (b[at + columns] ?? 0) +
          w2 * (b[at + 2 * columns] ?? 0) +
          w3 * (b[at + 3 * columns] ?? 0);
      }
    }
  }
}
