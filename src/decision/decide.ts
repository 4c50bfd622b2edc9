import { aliasNotAllowed, modelNotFound } from '../openai/reply.ts';
import { readAlias } from './alias.ts';
import type { Asked, DecisionInput } from './asked.ts';
import { learntPolicy } from './compile.ts';
import { decideAlias } from './decide-alias.ts';
import { decideConcrete } from './decide-concrete.ts';
import type { DecisionOutcome } from './decision.ts';
import { readGuards } from './guards.ts';
import { NO_KNOBS, readKnobs } from './knobs.ts';
import { policyOf } from './policy.ts';
import { block, refuse } from './refuse.ts';
import * as refusals from './refusals.ts';
import { findTenant } from './tenant.ts';

export type { DecisionInput } from './asked.ts';

/**
 * Chooses the model for one request and says why, or refuses it. A concrete model goes to its own endpoints, body untouched, if policy and
 * guards let it. An alias goes to the model that its filters, rules and objective leave first (docs/decision.md). Pure: equal inputs give equal
 * outcomes.
 */
export function decide(input: DecisionInput): DecisionOutcome {
  const { request, registry } = input;
  const concrete = registry.models.get(request.model) ?? null;
  const alias = concrete === null ? readAlias(registry, request.model) : null;
  if (concrete === null) {
    if (alias === null) return refuse(modelNotFound(request.model));
    if (request.kind === 'embeddings') return refuse(aliasNotAllowed(request.model, '/v1/embeddings'));
    // Nothing of such a request is read, so nothing would be behind the choice.
    if (request.kind === 'other') return refuse(aliasNotAllowed(request.model, 'this path'));
    if (request.problem !== null) return refuse(request.problem, [], 'bad_request');
  }
  const headers = input.headers ?? NO_HEADERS;
  const compiled = learntPolicy(registry, input.outcomes);
  const form = registry.config.guards.answer;
  const found = findTenant(compiled.tenants, headers);
  if (found.kind === 'denied') {
    return block('routing_block', refusals.tenantDenied(), { form, flags: [], rule: null, tenant: null });
  }
  const tenant = found.kind === 'found' ? found.tenant : null;
  const guards = readGuards(registry, input.signals);
  const context = { form, flags: guards.flags, rule: null, tenant: tenant?.name ?? null };
  if (guards.jailbreak.kind === 'unjudged') {
    return block('security_block', request.problem ?? refusals.guardUnavailable(), { ...context, form: 'error' });
  }
  if (guards.jailbreak.kind === 'block') return block('security_block', refusals.jailbreakBlocked(), context);
  const read = readKnobs(request.routingFields, headers);
  // What a concrete model's request says in those members is its endpoint's business when it makes no sense here.
  if (read.kind === 'invalid' && concrete === null) return refuse(read.error, [], 'bad_request');
  const knobs = read.kind === 'knobs' ? read.knobs : NO_KNOBS;
  const asked: Asked = {
    input,
    compiled,
    headers,
    tenant,
    policy: policyOf(registry.config, tenant),
    guards,
    knobs,
    knobsAreUnread: read.kind === 'invalid',
  };
  if (concrete !== null) return decideConcrete(asked, concrete, context);
  return decideAlias(asked, alias?.objective ?? null, context);
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map();
