/**
 * The `model` field of a multipart/form-data body (audio transcriptions, image edits), by RFC 7578. Nothing else of such a body is read, and a
 * file in it is searched for the boundary alone.
 */
import { isUtf8 } from 'node:buffer';
import type { ApiError } from '../errors.ts';
import { bufferOver } from './json/text.ts';
import { invalidMultipart, invalidUtf8, invalidValue, missingModel, tooLong } from './reply.ts';
import type { Span } from './request.ts';

/** Bytes that are searched at one go: the native search does some GB/s, so this is a millisecond. */
const WINDOW_BYTES = 2 * 1024 * 1024;
const MAX_PARTS = 1000;
const MAX_PART_HEADER_BYTES = 8192;
const MAX_MODEL_BYTES = 4096;
const LINE_END = '\r\n';
const HEADER_END = '\r\n\r\n';

export type MultipartOutcome =
  | { readonly kind: 'model'; readonly model: string; readonly spans: readonly Span[] }
  | { readonly kind: 'invalid'; readonly error: ApiError };

/** The boundary that a content type names; null when it is no multipart/form-data. RFC 2046 allows 70 characters. */
export function multipartBoundary(contentType: string): string | null {
  const [type, ...rest] = contentType.split(';');
  if (type?.trim().toLowerCase() !== 'multipart/form-data') return null;
  const boundary = parametersOf(`;${rest.join(';')}`).get('boundary') ?? '';
  return boundary.length > 0 && boundary.length <= 70 ? boundary : null;
}

/** Finds the model: the last one, where the field is repeated; `spans` are the values of all of them. Yields as `parseSteps` does. */
export function* findMultipartModel(body: Uint8Array, boundary: string): Generator<undefined, MultipartOutcome> {
  const buffer = bufferOver(body);
  const delimiter = Buffer.from(`${LINE_END}--${boundary}`, 'latin1');
  // The first delimiter needs no line end before it.
  const opening = delimiter.subarray(LINE_END.length);
  let at = buffer.subarray(0, opening.length).equals(opening) ? opening.length : yield* after(buffer, delimiter, 0);
  const spans: Span[] = [];
  for (let parts = 0; at >= 0; parts += 1) {
    if (buffer.toString('latin1', at, at + 2) === '--') return modelAt(buffer, spans);
    const headerEnd = buffer.subarray(at, at + MAX_PART_HEADER_BYTES).indexOf(HEADER_END);
    if (headerEnd < 0 || parts === MAX_PARTS) break;
    const start = at + headerEnd + HEADER_END.length;
    const following: number = yield* after(buffer, delimiter, start - LINE_END.length);
    if (following < 0) break;
    if (isModelField(buffer.toString('utf8', at, at + headerEnd))) {
      spans.push({ start, end: Math.max(start, following - delimiter.length) });
    }
    at = following;
  }
  return { kind: 'invalid', error: invalidMultipart() };
}

/** The offset behind the next delimiter; -1 when there is none. */
function* after(buffer: Buffer, delimiter: Buffer, from: number): Generator<undefined, number> {
  for (let start = from; start < buffer.length; start += WINDOW_BYTES) {
    if (start > from) yield;
    const found = buffer.subarray(start, start + WINDOW_BYTES + delimiter.length - 1).indexOf(delimiter);
    if (found >= 0) return start + found + delimiter.length;
  }
  return -1;
}

function modelAt(buffer: Buffer, spans: readonly Span[]): MultipartOutcome {
  const last = spans.at(-1);
  if (last === undefined) return { kind: 'invalid', error: missingModel() };
  if (last.end - last.start > MAX_MODEL_BYTES) return { kind: 'invalid', error: tooLong('model', MAX_MODEL_BYTES) };
  const bytes = buffer.subarray(last.start, last.end);
  if (!isUtf8(bytes)) return { kind: 'invalid', error: invalidUtf8() };
  const model = bytes.toString('utf8');
  return model === ''
    ? { kind: 'invalid', error: invalidValue('model', 'it is empty') }
    : { kind: 'model', model, spans };
}

function isModelField(headers: string): boolean {
  const disposition = headers.split(LINE_END).find((line) => /^content-disposition\s*:/i.test(line));
  if (disposition === undefined) return false;
  const parameters = parametersOf(disposition);
  return parameters.get('name') === 'model' && !parameters.has('filename') && !parameters.has('filename*');
}

/** `; key=value` and `; key="quoted value"`, keys in lower case. */
function parametersOf(header: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, key = '', value = ''] of header.matchAll(/;\s*([^=;\s"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)/g)) {
    const text = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value.trim();
    found.set(key.toLowerCase(), text);
  }
  return found;
}
