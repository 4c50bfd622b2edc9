/** Numbers and escapes of RFC 8259, byte by byte. */

// Where in a number: `-`, a lone zero, integer digits, `.`, fraction digits, `e`, the exponent's sign, exponent digits.
const N_MINUS = 0;
const N_ZERO = 1;
const N_INTEGER = 2;
const N_POINT = 3;
const N_FRACTION = 4;
const N_E = 5;
const N_SIGN = 6;
const N_EXPONENT = 7;

/** The state after a number's first byte; -1 when no number begins so. */
export function firstNumberState(byte: number): number {
  if (byte === 0x2d) return N_MINUS;
  if (byte === 0x30) return N_ZERO;
  return isDigit(byte) ? N_INTEGER : -1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether a number may end in this state. */
export function isWholeNumber(state: number): boolean {
  return state === N_ZERO || state === N_INTEGER || state === N_FRACTION || state === N_EXPONENT;
}

/** The number's state after one more byte; -1 when the byte is not part of it. */
export function afterNumberByte(state: number, byte: number): number {
  if (isDigit(byte)) {
    switch (state) {
      case N_MINUS:
        return byte === 0x30 ? N_ZERO : N_INTEGER;
      case N_ZERO:
        return -1;
      case N_POINT:
        return N_FRACTION;
      case N_E:
      case N_SIGN:
        return N_EXPONENT;
      default:
        return state;
    }
  }
  if (byte === 0x2e) return state === N_ZERO || state === N_INTEGER ? N_POINT : -1;
  if (byte === 0x65 || byte === 0x45) {
    return state === N_ZERO || state === N_INTEGER || state === N_FRACTION ? N_E : -1;
  }
  return (byte === 0x2b || byte === 0x2d) && state === N_E ? N_SIGN : -1;
}

/** Bytes of the escape that begins at the backslash `at`: 2, 6, or 0 when it is not one. */
export function escapeLength(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1] ?? 0) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2;
    case 0x75:
      for (let index = at + 2; index < at + 6; index += 1) {
        const byte = bytes[index] ?? 0;
        const letter = byte | 0x20;
        if (!isDigit(byte) && (letter < 0x61 || letter > 0x66)) return 0;
      }
      return 6;
    default:
      return 0;
  }
}
