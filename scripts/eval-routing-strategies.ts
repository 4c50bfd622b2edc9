/** The ways of choosing between a small and a large model that the evaluation compares. A score says how much a request wants the large one. */
import { buildRegistry, type Registry } from '../src/config/registry.ts';
import { configSchema } from '../src/config/schema.ts';
import { buildScoreTable, type ScoreTable } from '../src/decision/score-table.ts';
import { estimate } from '../src/decision/estimate.ts';
import { type Outcome, tableOf } from '../src/outcomes/table.ts';
import { randomFrom } from './eval-routing-curve.ts';
import type { Grades, Question, Splits } from './eval-routing-data.ts';
import { neighbourGaps } from './eval-routing-neighbours.ts';

export interface Pair {
  readonly small: string;
  readonly large: string;
}

export interface Strategy {
  readonly name: string;
  /** What it is told beforehand, for the report. */
  readonly knows: string;
  /** One of ours, one to be beaten, or a bound. */
  readonly role: 'ours' | 'baseline' | 'bound';
  /** One score a test question. */
  readonly scores: readonly number[];
}

/** Graded answers that the operator is taken to have. */
export const GRADED_ANSWERS = 1500;
/** The default of classifier.category_model.threshold. */
const CATEGORY_THRESHOLD = 0.6;

interface Graded {
  readonly question: Question;
  readonly small: number;
  readonly large: number;
}

/** Every strategy's scores for the test questions. Nothing of the test split but questions is read, save by the oracle. */
export function strategiesFor(pair: Pair, test: readonly Question[], splits: Splits, grades: Grades, seed: number) {
  const train = gradedBoth(splits.train, pair, grades);
  const outcomes = drawOutcomes(train, pair, splits.labels, seed);
  const registry = registryFor(pair, splits.labels, train);
  const flat = registryFor(pair, splits.labels, []);
  const { prior_strength: priorStrength } = flat.config.outcomes;
  const learntFrom = (list: readonly Outcome[]) =>
    buildScoreTable(flat.config.categories, { outcomes: tableOf(list).table, priorStrength });
  const few = learntFrom(outcomes.map(({ outcome }) => outcome));
  const all = learntFrom(train.flatMap((graded) => bothOutcomes(graded, pair, splits.labels)));
  const configured = buildScoreTable(registry.config.categories);
  const prior = priorGaps(train);
  const { of } = grades;
  const strategies: readonly Strategy[] = [
    {
      name: 'random mix',
      knows: 'nothing',
      role: 'baseline',
      scores: test.map(() => 0),
    },
    {
      name: 'prompt length',
      knows: 'characters of the prompt',
      role: 'baseline',
      scores: test.map(({ characters }) => characters),
    },
    {
      name: 'category prior, true label',
      knows: `${train.length} train questions with both answers graded, and each test question's label in the data set`,
      role: 'baseline',
      scores: test.map(({ label }) => prior.get(label) ?? 0),
    },
    {
      name: 'category prior',
      knows: `${train.length} train questions with both answers graded; the category is the encoder's`,
      role: 'baseline',
      scores: test.map((question) => gapOf(question, pair, registry, splits.labels, configured, false)),
    },
    {
      name: 'category prior, few',
      knows: `${outcomes.length} graded answers of one model each`,
      role: 'baseline',
      scores: test.map((question) => gapOf(question, pair, flat, splits.labels, few, false)),
    },
    {
      name: 'difficulty head',
      knows: 'the shipped model',
      role: 'ours',
      scores: test.map((question) => difficultyOf(question)),
    },
    {
      name: 'difficulty and category',
      knows: `the shipped model, and model_scores as right as ${train.length} train questions make them: what the objectives use`,
      role: 'ours',
      scores: test.map((question) => gapOf(question, pair, registry, splits.labels, configured, true)),
    },
    {
      name: 'outcome table, few',
      knows: `the shipped model and ${outcomes.length} graded answers of one model each; no model_scores`,
      role: 'ours',
      scores: test.map((question) => gapOf(question, pair, flat, splits.labels, few, true)),
    },
    {
      name: 'outcome table',
      knows: `the shipped model and ${2 * train.length} graded answers, as many as the category prior has; no model_scores`,
      role: 'ours',
      scores: test.map((question) => gapOf(question, pair, flat, splits.labels, all, true)),
    },
    {
      name: 'nearest neighbours, few',
      knows: `embeddings of the same ${outcomes.length} graded answers`,
      role: 'ours',
      scores: neighbourGaps(
        test,
        outcomes.map(({ question, outcome }) => ({
          question,
          small: outcome.model === pair.small ? outcome.score : null,
          large: outcome.model === pair.large ? outcome.score : null,
        })),
      ),
    },
    {
      name: 'nearest neighbours',
      knows: `embeddings of ${train.length} train questions with both answers graded`,
      role: 'ours',
      scores: neighbourGaps(test, train),
    },
    {
      name: 'oracle',
      knows: 'who answers right',
      role: 'bound',
      scores: test.map(({ id }) => (of(pair.large, id) ?? 0) - (of(pair.small, id) ?? 0)),
    },
  ];
  return strategies;
}

/** Questions that both models answered. */
export function gradedBoth(questions: readonly Question[], pair: Pair, grades: Grades): readonly Graded[] {
  return questions.flatMap((question) => {
    const small = grades.of(pair.small, question.id);
    const large = grades.of(pair.large, question.id);
    return small === null || large === null ? [] : [{ question, small, large }];
  });
}

/** 1 minus the mean over the tiers, as the decision has it. */
function difficultyOf({ difficulty }: Question): number {
  return 1 - difficulty.reduce((sum, p) => sum + p, 0) / difficulty.length;
}

function byLabelOf(train: readonly Graded[]): ReadonlyMap<string, readonly Graded[]> {
  const byLabel = new Map<string, Graded[]>();
  for (const one of train) {
    const rows = byLabel.get(one.question.label);
    if (rows === undefined) byLabel.set(one.question.label, [one]);
    else rows.push(one);
  }
  return byLabel;
}

function priorGaps(train: readonly Graded[]): ReadonlyMap<string, number> {
  const byLabel = byLabelOf(train);
  return new Map([...byLabel].map(([label, rows]) => [label, mean(rows.map(({ small, large }) => large - small))]));
}

/** A config with both models, whose model_scores are the train questions' means; without questions it says nothing of either. */
function registryFor(pair: Pair, labels: readonly string[], train: readonly Graded[]): Registry {
  const byLabel = byLabelOf(train);
  return buildRegistry(
    configSchema.parse({
      vllm_endpoints: [{ name: 'all', address: '127.0.0.1', port: 1, models: [pair.small, pair.large] }],
      categories: labels.map((name) => {
        const rows = byLabel.get(name) ?? [];
        const scores = [
          { model: pair.small, score: mean(rows.map(({ small }) => small)) },
          { model: pair.large, score: mean(rows.map(({ large }) => large)) },
        ];
        return { name, model_scores: rows.length === 0 ? [] : scores };
      }),
    }),
  );
}

/** What the product's own estimate says that the large model is better by; without difficulty it is the category's alone. */
function gapOf(
  question: Question,
  pair: Pair,
  registry: Registry,
  labels: readonly string[],
  scores: ScoreTable,
  withDifficulty: boolean,
): number {
  const { threshold } = registry.config.classifier.category_model;
  const name = categoryFound(question, labels, threshold);
  const category = registry.categories.get(name) ?? null;
  const mixture = question.categories.flatMap((probability, index) => {
    const possible = registry.categories.get(labels[index] ?? '');
    return possible === undefined ? [] : [[possible, probability] as const];
  });
  const quality = (model: string): number => {
    const entry = registry.models.get(model);
    if (entry === undefined) throw new Error(`${model} is not in the config`);
    const context = {
      settings: registry.config.estimates,
      scores,
      category,
      categoryName: name,
      mixture: category === null ? mixture : [],
      difficulty: withDifficulty ? difficultyOf(question) : null,
      inputTokens: 100,
      maxOutputTokens: null,
      choices: 1,
    };
    return estimate(entry, context, undefined).quality.value;
  };
  return quality(pair.large) - quality(pair.small);
}

/** Answers of one model each, as an operator would have graded them. */
function drawOutcomes(train: readonly Graded[], pair: Pair, labels: readonly string[], seed: number) {
  const random = randomFrom(seed + 1);
  return train.slice(0, GRADED_ANSWERS).map((graded) => {
    const [small, large] = bothOutcomes(graded, pair, labels);
    return { question: graded.question, outcome: random() < 0.5 ? small : large };
  });
}

/** The category is the router's, as in a request that it routed. */
function bothOutcomes(
  { question, small, large }: Graded,
  pair: Pair,
  labels: readonly string[],
): readonly [Outcome, Outcome] {
  const category = categoryFound(question, labels, CATEGORY_THRESHOLD);
  return [
    { model: pair.small, category, score: small },
    { model: pair.large, category, score: large },
  ];
}

/** '' below the threshold. */
function categoryFound({ categories }: Question, labels: readonly string[], threshold: number): string {
  const best = Math.max(...categories);
  return best >= threshold ? (labels[categories.indexOf(best)] ?? '') : '';
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
