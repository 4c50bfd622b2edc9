import type { Registry } from '../config/registry.ts';
import type { RuleConfig, TenantConfig } from '../config/schema-policy.ts';
import type { ChatRequest } from '../openai/request.ts';
import type { Outcomes } from '../outcomes/table.ts';
import type { Signals } from '../signals/signals.ts';
import type { CompiledPolicy } from './compile.ts';
import type { Candidate, Decision } from './decision.ts';
import type { GuardFindings } from './guards.ts';
import type { Judged } from './judge.ts';
import type { Knobs } from './knobs.ts';
import type { Observations } from './observations.ts';
import type { Random } from './plan.ts';
import type { Policy } from './policy.ts';
import type { EndpointState } from './served.ts';

export interface DecisionInput {
  readonly request: ChatRequest;
  readonly registry: Registry;
  /** Null when nothing was collected; `signalsNeeded` says when that is enough. */
  readonly signals: Signals | null;
  readonly endpoints: EndpointState;
  readonly random: Random;
  /** The client's headers by lower-case name: tenant, objective, session and what rules ask for are read from them. */
  readonly headers?: ReadonlyMap<string, string>;
  /** Unix time, milliseconds; without it no time window is open. */
  readonly nowMs?: number;
  readonly observations?: Observations;
  /** The operator's grades of earlier answers; they count where `outcomes.use` says so. */
  readonly outcomes?: Outcomes;
  /** How many other models the plan may hold behind the chosen one (0). */
  readonly maxFallbackModels?: number;
  /** The model that the request's conversation was answered by so far; null or absent: it has none. */
  readonly heldModel?: string | null;
}

/** A request with everything that was found out before a model is looked for. */
export interface Asked {
  readonly input: DecisionInput;
  readonly compiled: CompiledPolicy;
  readonly headers: ReadonlyMap<string, string>;
  readonly tenant: TenantConfig | null;
  readonly policy: Policy;
  readonly guards: GuardFindings;
  readonly knobs: Knobs;
  /** The request has routing fields that make no sense. Only for a concrete model: an alias is refused then. */
  readonly knobsAreUnread: boolean;
}

/** What every decision says of its request. */
export function decisionBase(
  { input, tenant, policy, guards, knobs }: Asked,
  rule: RuleConfig | null,
): Pick<
  Decision,
  'schemaVersion' | 'policyVersion' | 'originalModel' | 'rule' | 'tenant' | 'flags' | 'trace' | 'stripFields'
> {
  return {
    schemaVersion: 1,
    policyVersion: input.registry.version,
    originalModel: input.request.model,
    rule: rule?.name ?? null,
    tenant: tenant?.name ?? null,
    flags: guards.flags,
    trace: knobs.trace && policy.allowTrace,
    stripFields: knobs.fields,
  };
}

/** A model that was judged and not (yet) scored. */
export function candidateOf({ model, rejections, notes }: Judged): Candidate {
  return { model: model.name, admissible: rejections.length === 0, rejections, score: null, parts: [], notes };
}
