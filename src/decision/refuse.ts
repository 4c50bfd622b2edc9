import type { ApiError } from '../errors.ts';
import type { Need, RequestSize } from './capabilities.ts';
import type { Candidate, DecisionOutcome, GuardFlag, Rejection } from './decision.ts';
import type { Judged } from './judge.ts';
import * as refusals from './refusals.ts';

/** What a block reports beside its error. */
export interface BlockContext {
  readonly form: 'error' | 'content_filter';
  readonly flags: readonly GuardFlag[];
  readonly rule: string | null;
  readonly tenant: string | null;
}

/** A refusal that no policy is behind. */
export function refuse(
  error: ApiError,
  candidates: readonly Candidate[] = [],
  reasonCode: string = error.code,
): DecisionOutcome {
  return { kind: 'refused', error, reasonCode, candidates, block: null };
}

/** A refusal by policy, guard or rule. */
export function block(
  event: 'security_block' | 'routing_block',
  error: ApiError,
  context: BlockContext,
  candidates: readonly Candidate[] = [],
): DecisionOutcome {
  return { kind: 'refused', error, reasonCode: error.code, candidates, block: { event, ...context } };
}

export interface EmptyInput {
  readonly judged: readonly Judged[];
  readonly candidates: readonly Candidate[];
  readonly needs: readonly Need[];
  readonly size: RequestSize;
  readonly piiKinds: readonly string[] | null;
  readonly context: BlockContext;
}

/** The refusal when no model is admissible: that of the first stage, in the order of the filters, that nobody passed. */
export function refuseEmpty(input: EmptyInput): DecisionOutcome {
  let left = input.judged;
  for (const stage of ['policy', 'capability', 'caller'] as const) {
    const passed = left.filter(({ rejections }) => rejections.every((rejection) => rejection.stage !== stage));
    if (passed.length === 0 && left.length > 0) return refuseAt(stage, left, input);
    left = passed;
  }
  return refuse(refusals.noEndpoint(), input.candidates);
}

function refuseAt(
  stage: 'policy' | 'capability' | 'caller',
  left: readonly Judged[],
  input: EmptyInput,
): DecisionOutcome {
  const { candidates, context } = input;
  switch (stage) {
    case 'policy': {
      // Without the data some model could have answered: the data is what stops the request.
      const byPii = left.some(({ rejections }) => onlyFor(rejections, 'policy', PII_REASONS));
      return byPii
        ? block('security_block', refusals.piiNotAllowed(input.piiKinds ?? []), context, candidates)
        : block('routing_block', refusals.noModelAllowed(), context, candidates);
    }
    case 'capability':
      return refuse(incapable(left, input), candidates);
    case 'caller':
      return refuse(refusals.nothingLeftByCaller(), candidates);
  }
}

const PII_REASONS: ReadonlySet<string> = new Set(['pii_not_allowed', 'pii_unknown']);
const LENGTH_REASONS: ReadonlySet<string> = new Set(['context_window', 'context_window_unknown']);

/** True when everything that a stage holds against the model is one of these reasons. */
function onlyFor(rejections: readonly Rejection[], stage: Rejection['stage'], reasons: ReadonlySet<string>): boolean {
  return rejections.filter((one) => one.stage === stage).every((one) => reasons.has(one.reason));
}

function incapable(left: readonly Judged[], { needs, size }: EmptyInput): ApiError {
  const able = left.filter(({ rejections }) => onlyFor(rejections, 'capability', LENGTH_REASONS));
  if (able.length > 0) {
    const windows = able.flatMap(({ model }) => model.config.context_window ?? []);
    const largest = windows.length === 0 ? null : Math.max(...windows);
    return refusals.contextTooLong(size.inputTokens + size.outputReserve, largest);
  }
  const lacks = ({ rejections }: Judged, need: Need) =>
    rejections.some(({ reason }) => reason === `no_${need}` || reason === `${need}_unknown`);
  const missing = needs.filter((need) => left.every((judged) => lacks(judged, need)));
  const wants = [...needs, ...(size.maxOutputTokens === null ? [] : [`${size.maxOutputTokens} tokens of answer`])];
  const first = missing[0] ?? needs[0];
  return refusals.noCapableModel(missing, wants, first === undefined ? 'max_tokens' : PARAM[first]);
}

const PARAM: Readonly<Record<Need, string>> = {
  tools: 'tools',
  vision: 'messages',
  audio: 'messages',
  files: 'messages',
  json: 'response_format',
  logprobs: 'logprobs',
  n: 'n',
};
