/** Reading of a safetensors file: an 8-byte little-endian length, a JSON header of that length, then the numbers of all tensors. */

export interface Safetensors {
  /** The header's `__metadata__`, texts by name. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The shape of a tensor and its bytes in memory of their own. Throws when it is missing, of another type, or cut short. */
  tensor(name: string, type: keyof typeof BYTES): { readonly shape: readonly number[]; readonly bytes: ArrayBuffer };
}

const LENGTH_BYTES = 8;
/** A few tensors take some hundred bytes of header. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Bytes of one number by type. */
const BYTES = { I8: 1, F32: 4 } as const;

/** Throws an Error that says what is wrong with the file. */
export function readSafetensors(file: Uint8Array): Safetensors {
  const length = headerLength(file);
  const begin = LENGTH_BYTES + length;
  const header = objectOf(JSON.parse(new TextDecoder().decode(file.subarray(LENGTH_BYTES, begin))));
  return {
    metadata: objectOf(header['__metadata__']),
    tensor(name, type) {
      const { dtype, shape, data_offsets: offsets } = objectOf(header[name]);
      if (dtype !== type || !isSizes(shape) || !isSizes(offsets))
        throw new Error(`${name}: a tensor of ${type} is needed`);
      const [from = 0, to = 0] = offsets;
      const wanted = shape.reduce((product, size) => product * size, BYTES[type]);
      if (to - from !== wanted || begin + to > file.length) throw new Error(`${name}: ${wanted} bytes are needed`);
      // A copy, so that numbers of four bytes lie where their type wants them.
      return { shape, bytes: new Uint8Array(file.subarray(begin + from, begin + to)).buffer };
    },
  };
}

function headerLength(file: Uint8Array): number {
  const length =
    file.length < LENGTH_BYTES ? 0 : new DataView(file.buffer, file.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length < 2 || length > MAX_HEADER_BYTES || LENGTH_BYTES + Number(length) > file.length) {
    throw new Error('not a safetensors file');
  }
  return Number(length);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
