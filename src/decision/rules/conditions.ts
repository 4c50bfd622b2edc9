import type { ConditionConfig } from '../../config/schema-policy.ts';
import { compileTimeWindow } from './time-window.ts';

export type Modality = 'text' | 'image' | 'audio' | 'file';

/** What conditions are asked of. A value that is not known (null) meets no condition. */
export interface Facts {
  /** Lower-case names that the category found goes by; empty below the threshold. */
  readonly categories: readonly string[];
  readonly confidence: number | null;
  /** Normalised, 0..1. */
  readonly entropy: number | null;
  readonly difficulty: number | null;
  readonly jailbreak: number | null;
  readonly piiKinds: readonly string[];
  readonly language: string | null;
  readonly tokens: number | null;
  readonly turns: number | null;
  readonly modalities: readonly Modality[];
  readonly tools: boolean;
  readonly json: boolean;
  readonly code: boolean;
  readonly stream: boolean;
  readonly tenant: string | null;
  readonly model: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Unix time, milliseconds; null when the caller has no clock. */
  readonly nowMs: number | null;
  /** Positions of the words and patterns that occur, in the lists that `compileCondition` filled. Each is searched at most once a request. */
  readonly keywords: () => ReadonlySet<number>;
  readonly patterns: () => ReadonlySet<number>;
}

export type Condition = (facts: Facts) => boolean;

/** The words and patterns of all conditions; a compiled condition knows the positions of its own. */
export interface Vocabulary {
  readonly keywords: string[];
  readonly patterns: string[];
}

type Range = NonNullable<ConditionConfig['confidence']>;
type Names = string | readonly string[];

/** All keys of the condition must hold; an empty condition always holds. Adds its words and patterns to the vocabulary. */
export function compileCondition(config: ConditionConfig, vocabulary: Vocabulary): Condition {
  const tests: Condition[] = [...cheapTests(config), ...searches(config, vocabulary)];
  const { all, any, not } = config;
  if (all !== undefined) tests.push(...all.map((inner) => compileCondition(inner, vocabulary)));
  if (any !== undefined) {
    const choices = any.map((inner) => compileCondition(inner, vocabulary));
    tests.push((facts) => choices.some((holds) => holds(facts)));
  }
  if (not !== undefined) {
    const inner = compileCondition(not, vocabulary);
    tests.push((facts) => !inner(facts));
  }
  return (facts) => tests.every((holds) => holds(facts));
}

/** Comparisons of values that are at hand. They come before the searches, which they often save. */
function cheapTests(config: ConditionConfig): Condition[] {
  const tests: Condition[] = [];
  const oneOf = (wanted: Names | undefined, values: (facts: Facts) => readonly string[]) => {
    if (wanted === undefined) return;
    const set = new Set(listOf(wanted).map((value) => value.toLowerCase()));
    tests.push((facts) => values(facts).some((value) => set.has(value.toLowerCase())));
  };
  const within = (range: Range | undefined, value: (facts: Facts) => number | null) => {
    if (range !== undefined) tests.push((facts) => contains(range, value(facts)));
  };
  const equals = (wanted: boolean | undefined, value: (facts: Facts) => boolean) => {
    if (wanted !== undefined) tests.push((facts) => value(facts) === wanted);
  };
  oneOf(config.category, (facts) => facts.categories);
  oneOf(config.language, (facts) => (facts.language === null ? [] : [facts.language]));
  oneOf(config.tenant, (facts) => (facts.tenant === null ? [] : [facts.tenant]));
  oneOf(config.model, (facts) => [facts.model]);
  oneOf(config.modality, (facts) => facts.modalities);
  oneOf(config.pii, (facts) => (facts.piiKinds.length === 0 ? [] : ['any', ...facts.piiKinds]));
  within(config.confidence, (facts) => facts.confidence);
  within(config.entropy, (facts) => facts.entropy);
  within(config.difficulty, (facts) => facts.difficulty);
  within(config.jailbreak, (facts) => facts.jailbreak);
  within(config.tokens, (facts) => facts.tokens);
  within(config.turns, (facts) => facts.turns);
  equals(config.tools, (facts) => facts.tools);
  equals(config.json, (facts) => facts.json);
  equals(config.code, (facts) => facts.code);
  equals(config.stream, (facts) => facts.stream);
  tests.push(...headerTests(config));
  if (config.time !== undefined) {
    const isOpen = compileTimeWindow(config.time);
    tests.push(({ nowMs }) => nowMs !== null && isOpen(nowMs));
  }
  return tests;
}

/** Names compare in any case, values exactly. */
function headerTests(config: ConditionConfig): Condition[] {
  return Object.entries(config.header ?? {}).map(([name, wanted]) => {
    const key = name.toLowerCase();
    if (typeof wanted === 'boolean') return (facts: Facts) => facts.headers.has(key) === wanted;
    const values = new Set(listOf(wanted));
    return (facts: Facts) => values.has(facts.headers.get(key) ?? '') && facts.headers.has(key);
  });
}

function searches(config: ConditionConfig, vocabulary: Vocabulary): Condition[] {
  const tests: Condition[] = [];
  if (config.keywords !== undefined) {
    const own = add(vocabulary.keywords, listOf(config.keywords));
    tests.push((facts) => own.some((position) => facts.keywords().has(position)));
  }
  if (config.regex !== undefined) {
    const own = add(vocabulary.patterns, listOf(config.regex));
    tests.push((facts) => own.some((position) => facts.patterns().has(position)));
  }
  return tests;
}

function listOf(names: Names): readonly string[] {
  return typeof names === 'string' ? [names] : names;
}

function add(list: string[], values: readonly string[]): readonly number[] {
  const first = list.length;
  list.push(...values);
  return values.map((_, index) => first + index);
}

function contains(range: Range, value: number | null): boolean {
  return value !== null && value >= (range.min ?? -Infinity) && value <= (range.max ?? Infinity);
}
