/** The kinds of values that a config is made of. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts';

/** A share or probability, 0..1. */
export const share = z.number().min(0).max(1);

const LONGEST_NAME = 256;
const NO_CONTROL_CHARACTERS = /^[^\u0000-\u001f\u007f]*$/;

/** A name that may go into a header or a log line: not empty, no control characters, at most 256 characters. */
export const name = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .refine((text) => NO_CONTROL_CHARACTERS.test(text), {
    error: 'holds a line break or another control character',
    params: { allowed: 'a text of one line', fix: 'remove the character' },
  });

export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The name of an environment variable. */
export const variableName = z.string().refine((text) => VARIABLE_NAME.test(text), {
  error: 'is not the name of an environment variable',
  params: { allowed: 'letters, digits and _, no digit first', fix: 'write the name of the variable, not its value' },
});

/** What the effort families know; vLLM refuses requests with any other word. */
export const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

/** An IP address or DNS name, without scheme, brackets, port or path. */
export const host = z.string().refine(isHost, {
  error: 'is not a host',
  params: {
    allowed: 'an IPv4 or IPv6 address, or a DNS name',
    fix: 'write only the host: no http://, no [brackets], no :port, no /path',
  },
});

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // Something like 10.0.0.999 would be looked up as a name, and fail only at the first request.
  if (/^[\d.]+$/.test(text)) return false;
  return text.length <= 253 && /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$/.test(text);
}

interface Unit {
  readonly what: string;
  readonly examples: readonly string[];
  readonly parse: (text: string) => number | null;
  readonly format: (value: number) => string;
  readonly least: number;
  readonly most: number;
}

function withUnit(unit: Unit) {
  return z.codec(z.string().meta({ title: unit.what, examples: unit.examples }), z.number(), {
    decode: (text, context) => {
      const value = unit.parse(text);
      const limits = `from ${unit.format(unit.least)} to ${unit.format(unit.most)}`;
      if (value !== null && value >= unit.least && value <= unit.most) return value;
      const code = value === null ? 'CONFIG_BAD_UNIT' : 'CONFIG_OUT_OF_RANGE';
      context.issues.push({
        code: 'custom',
        input: text,
        message: value === null ? `is not a ${unit.what} with a unit` : 'is out of range',
        params: {
          code,
          allowed: `a ${unit.what} ${limits}: ${unit.examples.join(', ')}`,
          fix: 'write a number and its unit',
        },
      });
      return z.NEVER;
    },
    encode: unit.format,
  });
}

/** A duration with its unit ("250ms", "60s", "1m"), 1 ms to 24 h; parsed to milliseconds. */
export const duration = withUnit({
  what: 'duration',
  examples: ['250ms', '60s', '5m', '1h'],
  parse: parseDuration,
  format: formatDuration,
  least: 1,
  most: 24 * 3_600_000,
});

/** A size with its unit ("32MiB"), 1 KiB to 1 GiB; parsed to bytes. */
export const size = withUnit({
  what: 'size',
  examples: ['512KiB', '32MiB', '1GiB'],
  parse: parseBytes,
  format: formatBytes,
  least: 1024,
  most: 1024 ** 3,
});

/** Largest answer that can be checked: Envoy 1.40 crashes when a filter of an endpoint's cluster sends the router one of more than 16 MiB. */
export const MAX_ANSWER_BYTES = 8 * 1024 ** 2;

/** A size of answers, up to that limit. */
export const answerSize = withUnit({
  what: 'size',
  examples: ['256KiB', '1MiB'],
  parse: parseBytes,
  format: formatBytes,
  least: 1024,
  most: MAX_ANSWER_BYTES,
});
