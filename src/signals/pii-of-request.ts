import type { ChatRequest } from '../openai/request.ts';
import { findPii, type PiiFinding } from './pii.ts';

/** One search of so many characters takes a millisecond or two; between two of them the event loop takes a turn. */
const SLICE_CHARACTERS = 64 * 1024;
/** Slices overlap, so that nothing is cut in half: the longest thing that is looked for, but a private key, is shorter. */
const OVERLAP_CHARACTERS = 512;
/** Findings of one request; a request with more is not more personal. */
const MAX_FINDINGS = 1000;

/** Personal data in all text of a request, whoever wrote it: every message goes to the endpoint. Offsets are those of each text part. */
export async function piiOfRequest(
  request: Pick<ChatRequest, 'messages'>,
  pause: () => Promise<unknown>,
): Promise<readonly PiiFinding[]> {
  const findings: PiiFinding[] = [];
  let sinceTurn = 0;
  for (const message of request.messages) {
    for (const { text } of message.parts) {
      for (let from = 0; from < text.length; from += SLICE_CHARACTERS) {
        const slice = text.slice(from, from + SLICE_CHARACTERS + OVERLAP_CHARACTERS);
        sinceTurn += slice.length;
        if (sinceTurn > SLICE_CHARACTERS + OVERLAP_CHARACTERS) {
          await pause();
          sinceTurn = slice.length;
        }
        for (const { start, end, ...rest } of findPii(slice))
          findings.push({ ...rest, start: start + from, end: end + from });
        if (findings.length >= MAX_FINDINGS) return findings.slice(0, MAX_FINDINGS);
      }
    }
  }
  return findings;
}
