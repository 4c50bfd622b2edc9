/** The last error that an endpoint gave, for a client whose last attempt had no answer at all. Pure. */
import type { Attempt } from './attempts.ts';

export interface LastError {
  /** The configured name of the model that gave it. */
  readonly model: string;
  readonly status: number;
  /** As the endpoint wrote it, in seconds or as a date; '' without one. */
  readonly retryAfter: string;
  /** '' without one. */
  readonly contentType: string;
  /** '' where it was not kept: too large, compressed, or of unknown length. */
  readonly body: string;
}

/**
 * The newest of the attempts that an endpoint answered; null when none did. `kept` is the entry `error` of the attempts' notes
 * (envoy/attempts.ts says in which form); one that can't be read, or is of another attempt, counts as not kept.
 */
export function lastErrorOf(attempts: readonly Attempt[], kept: unknown): LastError | null {
  const last = attempts.findLast(({ status }) => status !== null && status >= 400);
  if (last?.status == null) return null;
  const [attempt, retryAfter = '', contentType = '', body = ''] = typeof kept === 'string' ? kept.split('\n') : [];
  const said = { model: last.target.model, status: last.status };
  if (attempt !== String(last.attempt)) {
    return {
      ...said,
      retryAfter: last.retryAfterS === null ? '' : String(last.retryAfterS),
      contentType: '',
      body: '',
    };
  }
  return { ...said, retryAfter, contentType, body: Buffer.from(body, 'base64').toString('utf8') };
}
