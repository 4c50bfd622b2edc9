import type { Registry } from '../config/registry.ts';
import type { ObjectiveKind } from './decision.ts';

/** What an alias's ending asks for: auto:cost, auto:quality, auto:fast, … */
const ENDINGS: Readonly<Record<string, ObjectiveKind>> = {
  cost: 'cost',
  quality: 'quality',
  fast: 'latency',
  latency: 'latency',
  balanced: 'balanced',
};

/** The alias that a name is and the objective that its ending names (null for a plain alias); null when it is no alias. */
export function readAlias(registry: Registry, model: string): { readonly objective: ObjectiveKind | null } | null {
  if (registry.aliases.has(model)) return { objective: null };
  const colon = model.lastIndexOf(':');
  if (colon < 0 || !registry.aliases.has(model.slice(0, colon))) return null;
  const ending = model.slice(colon + 1);
  const objective = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
  return objective === undefined ? null : { objective };
}

/** Every name that means "choose for me": the aliases, then each with the endings cost, quality and fast. */
export function allAliases(registry: Registry): readonly string[] {
  const plain = [...registry.aliases];
  return [...plain, ...plain.flatMap((alias) => ['cost', 'quality', 'fast'].map((ending) => `${alias}:${ending}`))];
}
