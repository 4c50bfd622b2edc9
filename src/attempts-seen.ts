/** What Envoy tells of a request's attempts, with its metadata and attributes, in terms of the plan. */
import type { Answering, AnswerSource } from './answer.ts';
import { answerAfterAll } from './cascade/given.ts';
import { readAttempts, type Attempt, type AttemptsSeen } from './execution/attempts.ts';
import { lastErrorOf, type LastError } from './execution/last-error.ts';
import type { RequestStart, ResponseStart } from './extproc/machine-events.ts';
import { asTried, type Carried } from './rewrite/carried.ts';
import { ATTEMPTS_NAMESPACE, CHECKED_NAMESPACE, LAST_ERROR_KEY } from './rewrite/headers.ts';
import type { World } from './route.ts';

const ATTEMPT_ATTRIBUTE = 'upstream.request_attempt_count';
const ADDRESS_ATTRIBUTE = 'upstream.address';
const DETAILS_ATTRIBUTE = 'response.code_details';
/** What Envoy says there of an answer that it did not make itself. */
const FROM_ENDPOINT = 'via_upstream';

/** The attempts as far as Envoy has noted them. */
export function attemptsOf(
  carried: Carried,
  { metadata }: Pick<RequestStart, 'metadata'>,
  seen: Pick<AttemptsSeen, 'count' | 'status' | 'details'>,
  { registry, nowMs }: Pick<World, 'registry' | 'nowMs'>,
): readonly Attempt[] {
  const notes = metadata.get(ATTEMPTS_NAMESPACE) ?? {};
  return readAttempts(carried.targets, {
    ...seen,
    notes,
    checks: metadata.get(CHECKED_NAMESPACE),
    nowMs: nowMs(),
    firstByteMs: registry.config.timeouts.first_byte,
  });
}

/** The plan as Envoy went through it. */
export function asAnswered(answering: Answering, { metadata }: ResponseStart): Answering {
  const { forward } = answering;
  return { ...answering, forward: { ...forward, carried: asTried(forward.carried, metadata.get(ATTEMPTS_NAMESPACE)) } };
}

/** Whose answer the client gets: the last attempt's, or that of an earlier one which is given after all. */
export function sourceOf(response: ResponseStart): AnswerSource {
  const count = Number(response.attributes.get(ATTEMPT_ATTRIBUTE) ?? '1');
  const attempts = Number.isFinite(count) ? count : 1;
  const kept = answerAfterAll(response);
  if (kept !== null) return { address: '', attempt: kept.attempt, attempts };
  return { address: response.attributes.get(ADDRESS_ATTRIBUTE) ?? '', attempt: attempts, attempts };
}

/** The attempts of a request that has its answer. */
export function attemptsAnswered(
  { forward }: Answering,
  response: ResponseStart,
  world: Pick<World, 'registry' | 'nowMs'>,
): readonly Attempt[] {
  const status = Number(response.headers.get(':status') ?? 0);
  const details = response.attributes.get(DETAILS_ATTRIBUTE) ?? '';
  return attemptsOf(forward.carried, response, { count: sourceOf(response).attempts, status, details }, world);
}

/** What an endpoint said at an earlier attempt, where the last one had no answer and Envoy made one up; null otherwise. */
export function lastErrorBefore(
  answering: Answering,
  response: ResponseStart,
  world: Pick<World, 'registry' | 'nowMs'>,
): LastError | null {
  const details = response.attributes.get(DETAILS_ATTRIBUTE) ?? '';
  if (details === '' || details === FROM_ENDPOINT) return null;
  const kept = response.metadata.get(ATTEMPTS_NAMESPACE)?.[LAST_ERROR_KEY];
  return lastErrorOf(attemptsAnswered(answering, response, world), kept);
}
