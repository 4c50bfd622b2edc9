import type { DegradedReason, EncodeOutcome, Encoding } from '../signals/signals.ts';
import type { Manifest } from './bundle.ts';
import type { Glance } from './glance.ts';
import { allFinite, sigmoid, softmax } from './heads.ts';
import type { Memo } from './memo.ts';
import { refused, type PoolOutcome, type TextResult, type Ticket } from './pool.ts';
import type { TextTokenizer, Tokens } from './tokenizer.ts';
import type { CutText } from './window.ts';

/** setTimeout fires at once beyond this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Pass {
  readonly ticket: Ticket;
  /** Null for a text that the tokenizer can't take. */
  readonly tokens: Tokens | null;
  readonly outcome: Promise<EncodeOutcome>;
  waiters: number;
}

/**
 * Passes under way by the text's key. Requests with the same text share one; each has its own deadline and may leave on its own, and the
 * text is taken out of the queue when nobody waits for it any more. A pass that a worker has begun goes on, and ends in the memo.
 */
export class SharedPasses {
  readonly #passes = new Map<string, Pass>();
  readonly #tokenizer: Pick<TextTokenizer, 'encodeCut'>;
  readonly #pool: { submit(tokens: Tokens): Ticket };
  readonly #memo: Pick<Memo, 'set'>;
  readonly #manifest: Manifest;
  readonly #glance: Glance | null;

  constructor(
    tokenizer: Pick<TextTokenizer, 'encodeCut'>,
    pool: { submit(tokens: Tokens): Ticket },
    memo: Pick<Memo, 'set'>,
    manifest: Manifest,
    glance: Glance | null,
  ) {
    this.#tokenizer = tokenizer;
    this.#pool = pool;
    this.#memo = memo;
    this.#manifest = manifest;
    this.#glance = glance;
  }

  has(key: string): boolean {
    return this.#passes.has(key);
  }

  /** Waits for the text's encoding until the deadline or the signal; both answer `deadline`, since nobody reads an aborted answer. */
  async join(key: string, cut: CutText, deadlineMs: number, signal: AbortSignal | undefined): Promise<EncodeOutcome> {
    const joined = this.#passes.get(key);
    const pass = joined ?? this.#begin(key, cut);
    pass.waiters += 1;
    const outcome = await firstOf(pass.outcome, deadlineMs, signal);
    pass.waiters -= 1;
    if (outcome === null) {
      if (pass.waiters === 0 && pass.ticket.drop()) this.#passes.delete(key);
      return this.#failed('deadline', pass);
    }
    if (outcome.kind === 'failed') return this.#failed(outcome.reason, pass);
    if (joined === undefined) return outcome;
    return { kind: 'encoded', encoding: { ...outcome.encoding, memoised: true } };
  }

  /** What stands in for the encoder reads the same tokens: no text is tokenised twice. */
  #failed(reason: DegradedReason, { tokens }: Pass): EncodeOutcome {
    const glance = this.#glance;
    if (glance === null || tokens === null) return { kind: 'failed', reason };
    return { kind: 'failed', reason, standIn: () => glance(tokens) };
  }

  /** A text that the tokenizer can't take is this request's failure, as in a worker's pass. */
  #tokenise(cut: CutText): Tokens | null {
    try {
      return this.#tokenizer.encodeCut(cut);
    } catch {
      return null;
    }
  }

  #begin(key: string, cut: CutText): Pass {
    const tokens = this.#tokenise(cut);
    const ticket = tokens === null ? refused('encoder_error') : this.#pool.submit(tokens);
    const outcome = ticket.outcome.then((result) => {
      if (this.#passes.get(key) === pass) this.#passes.delete(key);
      const encoded = toOutcome(result, this.#manifest);
      if (encoded.kind === 'encoded') this.#memo.set(key, encoded.encoding);
      return encoded;
    });
    const pass: Pass = { ticket, tokens, outcome, waiters: 0 };
    this.#passes.set(key, pass);
    return pass;
  }
}

/** The outcome, or null when the deadline passes or the signal fires first. */
function firstOf(
  outcome: Promise<EncodeOutcome>,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<EncodeOutcome | null> {
  return new Promise((resolve) => {
    const finish = (value: EncodeOutcome | null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      resolve(value);
    };
    const giveUp = () => finish(null);
    const timer = deadlineMs < MAX_TIMER_MS ? setTimeout(giveUp, Math.max(0, deadlineMs)) : undefined;
    signal?.addEventListener('abort', giveUp, { once: true });
    void outcome.then(finish);
  });
}

function toOutcome(outcome: PoolOutcome, manifest: Manifest): EncodeOutcome {
  if (outcome.kind === 'failed') return { kind: 'failed', reason: reasonOf(outcome.reason) };
  const encoding = toEncoding(outcome.result, manifest);
  return encoding === null ? { kind: 'failed', reason: 'encoder_error' } : { kind: 'encoded', encoding };
}

function reasonOf(reason: Extract<PoolOutcome, { kind: 'failed' }>['reason']): DegradedReason {
  return reason === 'dropped' ? 'deadline' : reason;
}

/** Probabilities from the graph's rows; null when a value is not finite or a row has another length than the manifest says. */
export function toEncoding(result: TextResult, { outputs }: Manifest): Encoding | null {
  const { category, difficulty, jailbreakLogit, embedding } = result.raw;
  if (category.length !== outputs.category.labels.length || !allFinite(category)) return null;
  if (difficulty !== null && !allFinite(difficulty)) return null;
  if (embedding !== null && !allFinite(embedding)) return null;
  return {
    tier: 'encoder',
    categoryProbabilities: softmax(category),
    difficulty: difficulty === null ? null : Array.from(difficulty, sigmoid),
    jailbreak: jailbreakLogit === null ? null : sigmoid(jailbreakLogit),
    embedding,
    tokens: result.tokens.ids.length,
    truncated: result.tokens.truncated,
    memoised: false,
  };
}
