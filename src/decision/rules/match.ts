import { compilePatterns } from '../../config/pattern.ts';
import type { RuleConfig } from '../../config/schema-policy.ts';
import { compileCondition, type Condition, type Facts, type Vocabulary } from './conditions.ts';
import { compileKeywords } from './keywords.ts';
import type { RuleText } from './text.ts';

/** The rules of one config, ready to be asked. */
export interface CompiledRules {
  /** The first rule whose condition holds; null when none does. One pass over the rules and at most one over each text. */
  match(facts: Omit<Facts, 'keywords' | 'patterns'>, text: () => RuleText): RuleConfig | null;
}

/** Compiles the rules of a config that passed its checks; throws for a broken pattern or time zone. */
export function compileRules(rules: readonly RuleConfig[]): CompiledRules {
  const vocabulary: Vocabulary = { keywords: [], patterns: [] };
  const compiled: readonly { readonly rule: RuleConfig; readonly holds: Condition }[] = rules.map((rule) => ({
    rule,
    holds: compileCondition(rule.when, vocabulary),
  }));
  const keywords = compileKeywords(vocabulary.keywords);
  const patterns = compilePatterns(vocabulary.patterns);
  return {
    match(facts, text) {
      if (compiled.length === 0) return null;
      const read = once(text);
      const asked: Facts = {
        ...facts,
        keywords: once(() => keywords.search(read().forKeywords)),
        patterns: once(() => patterns.search(read().forPatterns)),
      };
      return compiled.find(({ holds }) => holds(asked))?.rule ?? null;
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
