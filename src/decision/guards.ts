import type { Registry } from '../config/registry.ts';
import type { Signals } from '../signals/signals.ts';
import type { GuardFlag } from './decision.ts';
import { piiKinds } from './policy.ts';

/** What the guards found in one request. */
export interface GuardFindings {
  readonly flags: readonly GuardFlag[];
  /** Kinds of personal data that count; null when nobody looked. */
  readonly piiKinds: readonly string[] | null;
  /** What the jailbreak guard wants: nothing, a refusal, or another model. `unjudged`: a refusal, since nobody could judge the request. */
  readonly jailbreak:
    | { readonly kind: 'pass' }
    | { readonly kind: 'block' }
    | { readonly kind: 'unjudged' }
    | { readonly kind: 'route'; readonly model: string };
  readonly notes: readonly string[];
}

/**
 * Holds the signals against the guards. A score that is not there flags nothing; where the guard blocks or routes, a note says so, and with
 * `failure_mode: closed` the request is not let through if it is a failure that there is none.
 */
export function readGuards(registry: Registry, signals: Signals | null): GuardFindings {
  const { pii, jailbreak: guard } = registry.config.guards;
  const kinds = signals === null ? null : pii.action === 'off' ? [] : piiKinds(signals.pii, pii.min_confidence);
  const flags: GuardFlag[] = [];
  if (kinds !== null && kinds.length > 0 && pii.action !== 'off') {
    flags.push({ guard: 'pii', action: pii.action, score: null, threshold: null, kinds });
  }
  const score = signals?.encoding?.jailbreak ?? null;
  if (guard.action === 'off' || score === null || score < guard.threshold) {
    const isBlind = score === null && (guard.action === 'block' || guard.action === 'route');
    const isClosed = isBlind && registry.config.failure_mode === 'closed' && mustBeJudged(signals);
    const notes = isBlind ? ['the jailbreak guard had no score to judge by'] : [];
    return { flags, piiKinds: kinds, jailbreak: { kind: isClosed ? 'unjudged' : 'pass' }, notes };
  }
  flags.push({ guard: 'jailbreak', action: guard.action, score, threshold: guard.threshold, kinds: [] });
  const found = { flags, piiKinds: kinds, notes: [] };
  switch (guard.action) {
    case 'flag':
      return { ...found, jailbreak: { kind: 'pass' } };
    case 'block':
      return { ...found, jailbreak: { kind: 'block' } };
    case 'route':
      return {
        ...found,
        jailbreak: guard.route_to === undefined ? { kind: 'block' } : { kind: 'route', model: guard.route_to },
      };
  }
}

/** Nothing to read, or a language that the encoder doesn't know, gives no score and is no failure; anything else that gives none is. */
function mustBeJudged(signals: Signals | null): boolean {
  return signals?.degraded !== 'no_text' && signals?.degraded !== 'unsupported_language';
}

/** What must be known of a request before it can be decided. */
export interface SignalNeeds {
  readonly encoder: boolean;
  readonly pii: boolean;
}

/**
 * Which signals the decision will read, so that nothing else is collected. An alias needs them all. A concrete model needs the search for
 * personal data only where its pii_policy restricts it, and the encoder only where the jailbreak guard would stop it.
 */
export function signalsNeeded(registry: Registry, model: string): SignalNeeds {
  const concrete = registry.models.get(model);
  if (concrete === undefined) return { encoder: true, pii: true };
  const { pii, jailbreak } = registry.config.guards;
  return {
    encoder: jailbreak.action === 'block' || jailbreak.action === 'route',
    pii: pii.action === 'block' && concrete.config.pii_policy?.allow_by_default === false,
  };
}
