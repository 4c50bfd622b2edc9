/** The explanation that goes back to a caller who asked for it (`routing.trace`) and may have it. */
import { isUtf8 } from 'node:buffer';
import type { Decision, Plan } from '../decision/decision.ts';

/** Bytes that the header may have: well below what proxies on the way accept. */
const MAX_HEADER_BYTES = 2048;

/** What `routing_metadata` holds: the Decision whole, and the plan by name. Addresses are the operator's business. */
export function routingMetadata(decision: Decision, plan: Plan, answeredBy: string | null, attempts: number): object {
  return {
    decision,
    plan: plan.targets.map(({ model, endpoint, reasoning }) => ({ model, endpoint, reasoning })),
    answered_by: answeredBy,
    attempts,
  };
}

/** The same in one line of ASCII for a header: what was chosen, why, and how many of the others were dropped for which reason. */
export function compactTrace(decision: Decision): string {
  const rejected: Record<string, number> = {};
  for (const { rejections } of decision.candidates) {
    const reason = rejections[0]?.reason;
    if (reason !== undefined) rejected[reason] = (rejected[reason] ?? 0) + 1;
  }
  const compact = {
    v: decision.schemaVersion,
    model: decision.selectedModel,
    decision: decision.decision,
    objective: decision.objective?.kind ?? null,
    category: decision.category.top,
    p: decision.category.confidence,
    reasoning: decision.reasoning?.reason ?? null,
    candidates: decision.candidates.length,
    rejected,
    because: decision.because,
  };
  const text = asciiJson(compact);
  return text.length <= MAX_HEADER_BYTES ? text : asciiJson({ ...compact, because: '', rejected: {} });
}

/**
 * The body of a JSON answer with one more member at its end; null when the body is no JSON object in UTF-8. Everything else of it stays as the
 * endpoint wrote it.
 */
export function withMember(body: Uint8Array, key: string, value: object): Uint8Array | null {
  // Other bytes would come back as replacement characters.
  if (!isUtf8(body)) return null;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const end = text.lastIndexOf('}');
  if (end < 0 || !isObject(text)) return null;
  const before = text.slice(0, end).trimEnd();
  const comma = before.endsWith('{') ? '' : ',';
  return Buffer.from(`${before}${comma}${JSON.stringify(key)}:${JSON.stringify(value)}${text.slice(end)}`);
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** JSON whose other characters are escaped: header values are ASCII. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
