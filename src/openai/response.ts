/** What an answer says of itself: model, tokens, why it ended. Read from JSON and from event streams, in any chunking, in constant memory. */
import { JsonPicker, type KeyPath } from './json/picker.ts';
import { SseLines } from './sse-lines.ts';

/** Facts of one answer. What it did not say is null. */
export interface AnswerFacts {
  readonly model: string | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly totalTokens: number | null;
  /** Prompt tokens that the endpoint had in its prefix cache. */
  readonly cachedTokens: number | null;
  readonly reasoningTokens: number | null;
  /** In the order in which they came, at most MAX_FINISH_REASONS. */
  readonly finishReasons: readonly string[];
  /** Byte offset of the first data: of the body, or of the first event's data in a stream; null when none came. */
  readonly firstDataAt: number | null;
  /** Events with data, `[DONE]` not counted; 0 for an answer that is no stream. */
  readonly events: number;
  /** The JSON was closed, or the stream said `[DONE]`. */
  readonly complete: boolean;
  /** An `error` member came, in the body or in an event. */
  readonly failed: boolean;
}

/** n alternatives have one each; nobody asks for more. */
const MAX_FINISH_REASONS = 128;

const PATHS = [
  ['usage'],
  ['model'],
  ['choices', '*', 'finish_reason'],
  ['error'],
  // Events of the Responses API wrap the response.
  ['response', 'usage'],
  ['response', 'model'],
] as const satisfies readonly KeyPath[];
const [USAGE, MODEL, FINISH, ERROR, NESTED_USAGE, NESTED_MODEL] = [0, 1, 2, 3, 4, 5] as const;
const DONE = Buffer.from('[DONE]');

/** Tokens that an answer says it used; null for what it does not say. */
export type AnswerUsage = Pick<
  AnswerFacts,
  'promptTokens' | 'completionTokens' | 'totalTokens' | 'cachedTokens' | 'reasoningTokens'
>;
const NO_USAGE: AnswerUsage = {
  promptTokens: null,
  completionTokens: null,
  totalTokens: null,
  cachedTokens: null,
  reasoningTokens: null,
};

/** How to read an answer of this content type; `none` also for compressed ones, which only the client can read. */
export function answerFormat(contentType: string, contentEncoding = ''): 'json' | 'sse' | 'none' {
  if (contentEncoding !== '' && contentEncoding.toLowerCase() !== 'identity') return 'none';
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/event-stream') return 'sse';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'none';
}

/** Reads one answer. `push` each piece in order; ask `facts` at any time. Never throws. */
export class AnswerReader {
  readonly #picker = new JsonPicker(PATHS, (path, json) => this.#take(path, json));
  readonly #lines: SseLines | null;
  readonly #format: 'json' | 'sse' | 'none';
  #usage = NO_USAGE;
  #model: string | null = null;
  readonly #finishReasons: string[] = [];
  #failed = false;
  #complete = false;
  #events = 0;
  #offset = 0;
  #firstDataAt: number | null = null;
  #eventStart: number | null = null;
  /** Bytes of the current event's data, and how many of them match `[DONE]`. */
  #eventBytes = 0;
  #doneMatched = 0;

  constructor(format: 'json' | 'sse' | 'none') {
    this.#format = format;
    this.#lines =
      format === 'sse'
        ? new SseLines({
            data: (piece, start, end) => this.#pushData(piece, start, end),
            endOfEvent: () => this.#endEvent(),
          })
        : null;
  }

  /** Whether the first data has come: the answer's first token, as a client sees it. */
  get hasData(): boolean {
    return this.#firstDataAt !== null;
  }

  push(piece: Uint8Array): void {
    if (this.#lines !== null) {
      this.#lines.push(piece);
    } else {
      if (piece.length > 0) this.#firstDataAt ??= 0;
      if (this.#format === 'json') this.#picker.push(piece, 0, piece.length);
    }
    this.#offset += piece.length;
  }

  facts(): AnswerFacts {
    return {
      model: this.#model,
      ...this.#usage,
      finishReasons: [...this.#finishReasons],
      firstDataAt: this.#firstDataAt,
      events: this.#events + (this.#eventBytes > 0 && !this.#isDone() ? 1 : 0),
      complete: this.#complete || (this.#format === 'json' && this.#picker.ended) || this.#isDone(),
      failed: this.#failed,
    };
  }

  #pushData(piece: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && this.#eventBytes + at - start === this.#doneMatched; at += 1) {
      if (piece[at] !== DONE[this.#doneMatched]) break;
      this.#doneMatched += 1;
    }
    this.#eventBytes += end - start;
    this.#eventStart ??= this.#offset + start;
    // `[DONE]` may be cut after any byte: data that could still become it is not the first.
    if (this.#eventBytes > this.#doneMatched) this.#firstDataAt ??= this.#eventStart;
    this.#picker.push(piece, start, end);
  }

  #isDone(): boolean {
    return this.#doneMatched === DONE.length && this.#eventBytes === DONE.length;
  }

  #endEvent(): void {
    if (this.#isDone()) this.#complete = true;
    else if (this.#eventBytes > 0) this.#events += 1;
    this.#eventStart = null;
    this.#eventBytes = 0;
    this.#doneMatched = 0;
    this.#picker.reset();
  }

  #take(path: number, json: string): void {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      return;
    }
    if (value === null) return;
    switch (path) {
      case USAGE:
      case NESTED_USAGE:
        this.#usage = readUsage(value) ?? this.#usage;
        break;
      case MODEL:
      case NESTED_MODEL:
        if (typeof value === 'string') this.#model ??= value;
        break;
      case FINISH:
        if (typeof value === 'string' && this.#finishReasons.length < MAX_FINISH_REASONS)
          this.#finishReasons.push(value);
        break;
      case ERROR:
        this.#failed = true;
        break;
      default:
        break;
    }
  }
}

/** The value of a `usage` member. Chat and completions say prompt and completion tokens, the Responses API input and output tokens. */
export function readUsage(value: unknown): AnswerUsage | null {
  const usage = recordOf(value);
  if (usage === null) return null;
  const promptTokens = count(usage['prompt_tokens']) ?? count(usage['input_tokens']);
  const completionTokens = count(usage['completion_tokens']) ?? count(usage['output_tokens']);
  const promptDetails = recordOf(usage['prompt_tokens_details']) ?? recordOf(usage['input_tokens_details']);
  const completionDetails = recordOf(usage['completion_tokens_details']) ?? recordOf(usage['output_tokens_details']);
  return {
    promptTokens,
    completionTokens,
    totalTokens:
      count(usage['total_tokens']) ??
      (promptTokens === null || completionTokens === null ? null : promptTokens + completionTokens),
    cachedTokens: count(promptDetails?.['cached_tokens']),
    reasoningTokens: count(completionDetails?.['reasoning_tokens']),
  };
}

function recordOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
