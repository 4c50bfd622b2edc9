import type { CategoryConfig } from '../config/schema.ts';
import type { RuleConfig } from '../config/schema-policy.ts';
import type { Asked } from './asked.ts';
import type { CategoryView } from './decision.ts';
import type { RequestFacts } from './facts.ts';
import type { Objective } from './objective.ts';

/** Everything that is settled before the models are compared. */
export interface Situation {
  readonly asked: Asked;
  readonly facts: RequestFacts;
  readonly view: CategoryView;
  readonly category: CategoryConfig | null;
  readonly rule: RuleConfig | null;
  readonly objective: Objective;
}
