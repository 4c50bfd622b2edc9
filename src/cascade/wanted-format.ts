import type { ChatRequest } from '../openai/request.ts';
import { isRecord } from '../record.ts';
import type { WantedFormat } from './check.ts';

/** The schema travels beside the request; a larger one is not used, and any JSON will do. */
const MAX_FORMAT_BYTES = 64 * 1024;

/** The form that a request asks its answer to have. Only `response_format` is read; of duplicates the last, as the endpoints' parsers do. */
export function wantedFormat(body: Uint8Array, { responseFormat, members }: ChatRequest): WantedFormat {
  if (responseFormat === 'json_object') return { kind: 'json_object' };
  if (responseFormat !== 'json_schema') return { kind: 'text' };
  const member = members.findLast(({ key }) => key === 'response_format');
  if (member === undefined) return { kind: 'json' };
  const { start, end } = member.valueSpan;
  if (end - start > MAX_FORMAT_BYTES) return { kind: 'json' };
  const format = parse(Buffer.from(body.subarray(start, end)).toString('utf8'));
  const named = isRecord(format) ? format['json_schema'] : null;
  const schema = isRecord(named) ? named['schema'] : null;
  return isRecord(schema) ? { kind: 'json_schema', schema } : { kind: 'json' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
