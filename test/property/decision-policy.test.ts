import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/decision/decide.ts';
import {
  admissible,
  ask,
  chosenOf,
  configs,
  inputOf,
  knobs,
  MODELS,
  qualityOf,
  requests,
} from './decision-arbitrary.ts';

const RUNS = { numRuns: 400 };
const anyConfig = configs({ rules: true });
const plainConfig = configs({ rules: false });

test('the targets of a plan are admissible, at endpoints that serve their model and that policy allows', () => {
  fc.assert(
    fc.property(anyConfig, requests, knobs, (config, drawn, fields) => {
      const outcome = ask(config, drawn, fields);
      if (outcome.kind === 'refused') return;
      const may = admissible(outcome);
      expect(outcome.plan.targets[0].model).toBe(outcome.decision.selectedModel);
      for (const { model, endpoint } of outcome.plan.targets) {
        expect(may).toContain(model);
        const served = config.vllm_endpoints.find(({ name }) => name === endpoint)!;
        expect(served.models).toContain(model);
        expect(served).not.toMatchObject({ weight: 0 });
        const regions = config.policy.allowed_regions;
        if (regions !== undefined) expect(regions).toContain(served.region);
        expect(config.policy.deny_models).not.toContain(model);
        expect(config.policy.allow_models ?? MODELS).toContain(model);
      }
    }),
    RUNS,
  );
});

test('no target lacks what the request needs', () => {
  fc.assert(
    fc.property(anyConfig, requests, knobs, (config, drawn, fields) => {
      const outcome = ask(config, drawn, fields);
      if (outcome.kind === 'refused') return;
      for (const { model } of outcome.plan.targets) {
        const known = config.model_config[model]!;
        const needs = [...(drawn.toolCount > 0 ? ['tools'] : []), ...(drawn.wantsJson ? ['json'] : [])];
        for (const need of needs) {
          const isMet = known.capabilities?.includes(need) ?? config.unknown_capability === 'allow';
          expect(isMet).toBe(true);
        }
        const total = drawn.inputTokens + (drawn.maxOutputTokens ?? 256);
        expect(total).toBeLessThanOrEqual(known.context_window ?? Infinity);
        const policy = known.pii_policy;
        if (policy?.allow_by_default === false) {
          for (const kind of drawn.pii) expect(policy.pii_types_allowed).toContain(kind);
        }
      }
    }),
    RUNS,
  );
});

test('raising a price never makes its model the choice under cost', () => {
  fc.assert(
    fc.property(
      plainConfig,
      requests,
      fc.constantFrom(...MODELS),
      fc.constantFrom(1.01, 3, 100),
      (drawnConfig, drawn, name, factor) => {
        const config = { ...drawnConfig, objective: { ...drawnConfig.objective, kind: 'cost' } };
        const known = config.model_config[name]!;
        if (known.pricing === undefined) return;
        const { prompt_per_1m: prompt, completion_per_1m: completion } = known.pricing;
        const raised = {
          ...known.pricing,
          prompt_per_1m: prompt * factor,
          completion_per_1m: completion * factor + 0.01,
        };
        const dearer = { ...config, model_config: { ...config.model_config, [name]: { ...known, pricing: raised } } };
        if (chosenOf(ask(config, drawn)) !== name) expect(chosenOf(ask(dearer, drawn))).not.toBe(name);
      },
    ),
    RUNS,
  );
});

test('raising a floor, the operator’s or the caller’s, never lowers the expected quality of the choice', () => {
  fc.assert(
    fc.property(
      plainConfig,
      requests,
      fc.uniqueArray(fc.constantFrom(0, 0.3, 0.5, 0.7, 0.9, 1), { minLength: 2, maxLength: 2 }),
      fc.boolean(),
      (config, drawn, floors, isCallers) => {
        const [low, high] = [...floors].sort((a, b) => a - b) as [number, number];
        const at = (floor: number) =>
          isCallers
            ? ask(config, drawn, { routing: { quality_floor: floor } })
            : ask({ ...config, objective: { ...config.objective, unmet: 'relax', quality_floor: floor } }, drawn);
        const [before, after] = [at(low), at(high)];
        if (before.kind === 'refused' || after.kind === 'refused') return;
        // The guard's choice is no objective's.
        if (before.decision.flags.some(({ action }) => action === 'route')) return;
        const quality = qualityOf(after.decision, after.decision.selectedModel);
        expect(quality).toBeGreaterThanOrEqual(qualityOf(before.decision, before.decision.selectedModel) - 1e-9);
      },
    ),
    RUNS,
  );
});

test('denying a model, in policy or by the caller, never lets another one in', () => {
  fc.assert(
    fc.property(anyConfig, requests, fc.constantFrom(...MODELS), fc.boolean(), (config, drawn, name, isCallers) => {
      const denied = isCallers
        ? ask(config, drawn, { routing: { deny: [name] } })
        : ask({ ...config, policy: { ...config.policy, deny_models: [...config.policy.deny_models, name] } }, drawn);
      const before = admissible(ask(config, drawn));
      const after = admissible(denied);
      expect(before).toEqual(expect.arrayContaining(after));
      expect(after).not.toContain(name);
    }),
    RUNS,
  );
});

test('whatever the caller asks for, it only narrows', () => {
  fc.assert(
    fc.property(anyConfig, requests, knobs, (config, drawn, fields) => {
      const free = ask(config, drawn);
      const bound = ask(config, drawn, fields);
      expect(admissible(free)).toEqual(expect.arrayContaining(admissible(bound)));
      if (bound.kind === 'decided') expect(admissible(free)).toContain(bound.decision.selectedModel);
    }),
    RUNS,
  );
});

test('the order of models in the config settles ties and nothing else', () => {
  fc.assert(
    fc.property(
      plainConfig,
      requests,
      fc.shuffledSubarray(MODELS, { minLength: MODELS.length }),
      (config, drawn, order) => {
        const turned = {
          ...config,
          model_config: Object.fromEntries(order.map((name) => [name, config.model_config[name]!])),
        };
        const [before, after] = [ask(config, drawn), ask(turned, drawn)];
        expect(after.kind).toBe(before.kind);
        if (before.kind === 'refused' || after.kind === 'refused') return;
        const [one, other] = [before.decision, after.decision].map((decision) => {
          const chosen = decision.candidates.find((candidate) => candidate.model === decision.selectedModel)!;
          const value = (part: string) => chosen.parts.find(({ name }) => name === part)?.value ?? null;
          return { score: chosen.score, quality: value('quality'), relaxed: decision.objective?.relaxed };
        });
        expect(other).toEqual(one);
        expect(admissible(after).sort()).toEqual(admissible(before).sort());
      },
    ),
    RUNS,
  );
});

test('an admissible model means an answer, unless a limit, a strict rule or a guard says refuse', () => {
  fc.assert(
    fc.property(anyConfig, requests, knobs, (config, drawn, fields) => {
      const outcome = ask(config, drawn, fields);
      if (outcome.kind === 'refused' && admissible(outcome).length > 0) {
        expect(['no_model_within_limits', 'no_model_by_rule', 'jailbreak_blocked']).toContain(outcome.reasonCode);
      }
      if (outcome.kind === 'refused') expect(outcome.error.status).toBeGreaterThanOrEqual(400);
    }),
    RUNS,
  );
});

test('a named model is served by itself or not at all', () => {
  fc.assert(
    fc.property(anyConfig, requests, knobs, fc.constantFrom(...MODELS), (config, drawn, fields, name) => {
      const outcome = decide(inputOf(config, drawn, fields, { model: name }));
      if (outcome.kind === 'refused') return;
      for (const target of outcome.plan.targets)
        expect(target).toMatchObject({ model: name, reasoning: { kind: 'none' } });
    }),
    RUNS,
  );
});

test('equal inputs give equal outcomes, which print as JSON', () => {
  fc.assert(
    fc.property(anyConfig, requests, knobs, (config, drawn, fields) => {
      const outcome = ask(config, drawn, fields);
      expect(ask(config, drawn, fields)).toEqual(outcome);
      expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
    }),
    { numRuns: 100 },
  );
});
