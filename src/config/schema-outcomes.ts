/** Keys of what is learnt from graded answers (docs/outcomes.md). */
import { z } from 'zod';

const about = (description: string) => ({ description });

const outcomesSchema = z.strictObject({
  use: z
    .boolean()
    .default(false)
    .meta(about('Whether the expected quality of a model follows the grades of its answers; false only collects.')),
  file: z
    .string()
    .min(1)
    .optional()
    .meta(
      about(
        'Where the table of grades is kept; relative to this file, read at the start. Without it the grades are gone when the process ends.',
      ),
    ),
  prior_strength: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(20)
    .meta(about('How many grades model_scores and quality weigh as much as.')),
});

/** The keys as the whole file's schema takes them in. */
export const outcomesKeys = {
  outcomes: outcomesSchema.prefault({}).meta(about('Quality of each model in each category, learnt from grades.')),
};
