/** From a decision to a request that is counted: waits for room where there is none, and never refuses because of health alone. */
import type { DecisionOutcome, Plan } from '../decision/decision.ts';
import type { EndpointState } from '../decision/served.ts';
import type { ApiError } from '../errors.ts';
import { limitAttempts } from './attempt-plan.ts';
import type { Turn, Waiting } from './queue.ts';
import type { RequestView, Ticket, Traffic } from './traffic.ts';

/** What routing needs of the endpoints' traffic. */
export interface Dispatcher {
  readonly traffic: Pick<Traffic, 'heldModel' | 'arrange' | 'begin' | 'attempted'>;
  /** The endpoints as they are at this moment. */
  readonly state: () => EndpointState & { readonly hasFull: boolean };
  readonly waiting: Waiting;
  readonly clock: () => number;
}

export interface DispatchInput {
  readonly view: RequestView;
  /** Decides with these endpoints; called again when something has changed. Must be pure. */
  readonly decide: (endpoints: EndpointState, heldModel: string | null) => DecisionOutcome;
  readonly maxAttempts: number;
  /** Longest wait for room, milliseconds. */
  readonly queueMs: number;
  readonly priority: () => number;
  readonly signal: AbortSignal;
}

export interface Dispatched {
  readonly outcome: DecisionOutcome;
  /** Null for a refusal. Whoever gets it ends it. */
  readonly ticket: Ticket | null;
}

/**
 * Decides, and counts the request at its first target in the same turn, so that limits hold. When no admissible endpoint has room, the request
 * waits for one, up to `queueMs`; then it is refused with 429. When the only reason against all of them is their health, they are tried all the
 * same: an endpoint's own error, or its recovery, is worth more than our refusal.
 */
export async function dispatch(input: DispatchInput, dispatcher: Dispatcher): Promise<Dispatched> {
  const { view, maxAttempts } = input;
  const { traffic, waiting, clock } = dispatcher;
  const heldModel = traffic.heldModel(view);
  const deadlineMs = clock() + input.queueMs;
  let turn: Turn | null = null;
  for (;;) {
    const endpoints = dispatcher.state();
    const outcome = decideAnyway(input, endpoints, heldModel);
    if (outcome.kind === 'decided') {
      const arranged = limitAttempts(traffic.arrange(outcome.plan, view), maxAttempts);
      const plan = withLastResorts(arranged, input, endpoints, heldModel);
      return { outcome: { ...outcome, plan }, ticket: traffic.begin(plan, view) };
    }
    if (!endpoints.hasFull || !isTransient(outcome)) return { outcome, ticket: null };
    turn = await waiting.wait(input.priority(), deadlineMs, input.signal, turn);
    if (turn === null) {
      return { outcome: { ...outcome, error: overloaded(), reasonCode: 'overloaded' }, ticket: null };
    }
  }
}

function decideAnyway(
  { decide }: DispatchInput,
  endpoints: EndpointState & { readonly hasFull: boolean },
  heldModel: string | null,
): DecisionOutcome {
  const outcome = decide(endpoints, heldModel);
  const isOnlyHealth = (endpoints.unhealthy?.size ?? 0) > 0 && !endpoints.hasFull && isTransient(outcome);
  return isOnlyHealth ? decide({ ...endpoints, unhealthy: NOBODY }, heldModel) : outcome;
}

/**
 * The plan filled up to `maxAttempts` with endpoints that are out: they may have come back since, and an attempt that would not be made otherwise
 * costs nothing.
 */
function withLastResorts(
  plan: Plan,
  { decide, maxAttempts }: DispatchInput,
  endpoints: EndpointState,
  heldModel: string | null,
): Plan {
  if (plan.targets.length >= maxAttempts || (endpoints.unhealthy?.size ?? 0) === 0) return plan;
  const all = decide({ ...endpoints, unhealthy: NOBODY }, heldModel);
  if (all.kind === 'refused') return plan;
  const [first, ...rest] = plan.targets;
  const more = all.plan.targets.filter(
    (target) => !plan.targets.some(({ model, address }) => model === target.model && address === target.address),
  );
  return { ...plan, targets: [first, ...[...rest, ...more].slice(0, maxAttempts - 1)] };
}

const NOBODY: ReadonlySet<string> = new Set();

/** A refusal for want of an endpoint, which may pass. */
function isTransient(outcome: DecisionOutcome): boolean {
  return outcome.kind === 'refused' && outcome.block === null && outcome.error.status === 503;
}

export const OVERLOADED = 'router_overloaded';

/** 429: what may be under way is under way, and waiting did not help. */
function overloaded(): ApiError {
  return {
    status: 429,
    type: 'rate_limit_error',
    code: OVERLOADED,
    message: 'All endpoints that could take the request are busy. Please try again later.',
    param: null,
  };
}
