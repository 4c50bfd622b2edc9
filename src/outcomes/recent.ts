/** One answered request, as far as a grade needs it. */
export interface Answered {
  readonly requestId: string;
  /** The model that really answered. */
  readonly model: string;
  /** '' when the request had no certain category. */
  readonly category: string;
}

interface Remembered extends Answered {
  /** The last grade it got; null before the first. */
  readonly score: number | null;
}

/** Answers that can still be graded. */
export const RECENT_ANSWERS = 10_000;

/**
 * The answered requests of late by their id, so that a grade finds the model and category that it is about. Holds so many at most: the oldest
 * is forgotten first. An id that comes again means the newer request.
 */
export class RecentAnswers {
  readonly #capacity: number;
  readonly #answers = new Map<string, Remembered>();

  constructor(capacity: number = RECENT_ANSWERS) {
    this.#capacity = Math.max(1, capacity);
  }

  get size(): number {
    return this.#answers.size;
  }

  remember({ requestId, model, category }: Answered): void {
    // Deleted first, so that it goes to the end of the line.
    this.#answers.delete(requestId);
    this.#answers.set(requestId, { requestId, model, category, score: null });
    if (this.#answers.size <= this.#capacity) return;
    const oldest = this.#answers.keys().next();
    if (oldest.done !== true) this.#answers.delete(oldest.value);
  }

  find(requestId: string): Remembered | null {
    return this.#answers.get(requestId) ?? null;
  }

  /** Notes the grade, in place of an earlier one; the request keeps its place in the line. */
  graded(requestId: string, score: number): void {
    const known = this.#answers.get(requestId);
    if (known !== undefined) this.#answers.set(requestId, { ...known, score });
  }
}
