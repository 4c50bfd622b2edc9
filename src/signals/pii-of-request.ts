import type { ChatRequest } from '../openai/request.ts';
import { startPiiSearch, type PiiFinding, type PiiKind } from './pii.ts';

/** A search of so many characters takes a millisecond or two; between two of them the event loop takes a turn. */
const SLICE_CHARACTERS = 64 * 1024;
/** Findings of one request that are told one by one; past them only a kind that is new, or surer than before, changes anything. */
const MAX_FINDINGS = 1000;

/**
 * Personal data in all text of a request, whoever wrote it: every message goes to the endpoint. Offsets are those of each text part. All of
 * the text is searched, however much is found: a thousand allowed addresses hide nothing behind them.
 */
export async function piiOfRequest(
  request: Pick<ChatRequest, 'messages'>,
  pause: () => Promise<unknown>,
): Promise<readonly PiiFinding[]> {
  const findings: PiiFinding[] = [];
  const surest = new Map<PiiKind, number>();
  let sinceTurn = 0;
  for (const message of request.messages) {
    for (const { text } of message.parts) {
      const search = startPiiSearch(text);
      for (let to = 0; to < text.length;) {
        const from = to;
        to = Math.min(text.length, from + SLICE_CHARACTERS);
        sinceTurn += to - from;
        if (sinceTurn > SLICE_CHARACTERS) {
          await pause();
          sinceTurn = to - from;
        }
        for (const finding of search.advance(to)) {
          const isNews = finding.confidence > (surest.get(finding.kind) ?? 0);
          if (isNews) surest.set(finding.kind, finding.confidence);
          if (isNews || findings.length < MAX_FINDINGS) findings.push(finding);
        }
      }
    }
  }
  return findings;
}
