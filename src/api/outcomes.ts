import type { OutcomeStore } from '../outcomes/store.ts';
import { versionOf } from '../outcomes/table-file.ts';
import { countOf } from '../outcomes/table.ts';
import { viewCells } from '../outcomes/view.ts';
import { failure, json, type Answer } from './answer.ts';
import type { OutcomeBody } from './bodies.ts';
import type { ApiDependencies } from './dependencies.ts';

/** POST /api/v1/outcomes: a grade for one answer of late. A second grade for the same request stands in the first one's place. */
export function gradeAnswer({ request_id: requestId, score }: OutcomeBody, outcomes: OutcomeStore): Answer {
  const graded = outcomes.grade(requestId, score);
  switch (graded.kind) {
    case 'graded': {
      const { model, category, count, replaced } = graded;
      return json({ model, category, score, count, replaced });
    }
    case 'unknown':
      return failure(
        404,
        'NOT_FOUND',
        `request_id: none of the last ${outcomes.gradable} answers to routed requests. Older ones: switchyard outcomes import --log.`,
      );
    case 'full':
      return failure(
        503,
        'OVERLOADED',
        'The table has no room for another model and category. Begin a new one: outcomes.file in the config.',
      );
  }
}

/** GET /info/outcomes: every model and category with its grades, and what they make of the configured quality. */
export function outcomesInfo(dependencies: Pick<ApiDependencies, 'outcomes' | 'registry'>): Answer {
  const registry = dependencies.registry();
  const table = dependencies.outcomes.table();
  const { use, prior_strength } = registry.config.outcomes;
  return json({
    used: use,
    prior_strength,
    version: versionOf(table),
    graded: countOf(table),
    gradable: dependencies.outcomes.gradable,
    cells: viewCells(table, registry),
  });
}
