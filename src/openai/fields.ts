/** The top-level fields of a request that routing looks at, besides the messages. */
import type { ApiError } from '../errors.ts';
import { countElements, keyOf, lastMembers, members, spanOf, textOf, typeProblem, type Document } from './document.ts';
import { ARRAY, FALSE, NULL, NUMBER, OBJECT, TRUE } from './json/tape.ts';
import { tooLong, tooManyItems } from './reply.ts';
import type { CallerReasoning, ChatRequest, RawRoutingFields } from './request.ts';

/** Longer strings (a user id, a cache key) are left undecoded and count as absent. */
const MAX_STRING_BYTES = 4096;
/** Members of `chat_template_kwargs`; chat templates know a handful. */
const MAX_KWARGS = 256;
/** The caller's routing knobs are parsed as JSON up to this size. */
const MAX_KNOB_BYTES = 64 * 1024;

/** Last value row of each top-level key. */
export type TopLevel = ReadonlyMap<string, number>;

export type Fields = Pick<
  ChatRequest,
  | 'stream'
  | 'toolCount'
  | 'toolChoice'
  | 'responseFormat'
  | 'maxOutputTokens'
  | 'choices'
  | 'logprobs'
  | 'user'
  | 'promptCacheKey'
  | 'callerReasoning'
  | 'routingFields'
>;

/** The fields, and the first wrong type among them. A field of a wrong type reads as absent; null always does. */
export function readFields(document: Document, top: TopLevel): { fields: Fields; problem: ApiError | null } {
  const reader = new FieldReader(document, top);
  const fields: Fields = {
    stream: reader.boolean('stream') ?? false,
    toolCount: reader.length('tools') + reader.length('functions'),
    toolChoice: reader.toolChoice(),
    responseFormat: reader.responseFormat(),
    maxOutputTokens: reader.integer('max_completion_tokens') ?? reader.integer('max_tokens'),
    choices: reader.integer('n') ?? 1,
    logprobs: reader.logprobs(),
    user: reader.string('user'),
    promptCacheKey: reader.string('prompt_cache_key'),
    callerReasoning: reader.callerReasoning(),
    routingFields: reader.routingFields(),
  };
  return { fields, problem: reader.problem };
}

class FieldReader {
  problem: ApiError | null = null;
  readonly #document: Document;
  readonly #top: TopLevel;

  constructor(document: Document, top: TopLevel) {
    this.#document = document;
    this.#top = top;
  }

  /** The row of a field that is there and not null. */
  #present(key: string): number | null {
    const row = this.#top.get(key);
    return row === undefined || this.#document.tape.kind(row) === NULL ? null : row;
  }

  #refuse(row: number, key: string, expected: string): null {
    this.problem ??= typeProblem(this.#document, row, key, expected);
    return null;
  }

  #json(row: number): unknown {
    const { start, end } = spanOf(this.#document, row);
    return JSON.parse(this.#document.buffer.toString('utf8', start, end)) as unknown;
  }

  boolean(key: string): boolean | null {
    const row = this.#present(key);
    if (row === null) return null;
    const kind = this.#document.tape.kind(row);
    return kind === TRUE || kind === FALSE ? kind === TRUE : this.#refuse(row, key, 'a boolean');
  }

  integer(key: string): number | null {
    const row = this.#present(key);
    if (row === null) return null;
    const { tape, buffer } = this.#document;
    if (tape.kind(row) !== NUMBER) return this.#refuse(row, key, 'an integer');
    const value = Number(buffer.toString('latin1', tape.start(row), Math.min(tape.end(row), tape.start(row) + 400)));
    return Number.isInteger(value) ? value : this.#refuse(row, key, 'an integer');
  }

  string(key: string): string | null {
    const row = this.#present(key);
    if (row === null) return null;
    const { tape } = this.#document;
    if (!tape.isString(row)) return this.#refuse(row, key, 'a string');
    return tape.end(row) - tape.start(row) > MAX_STRING_BYTES ? null : textOf(this.#document, row);
  }

  length(key: string): number {
    const row = this.#present(key);
    if (row === null) return 0;
    if (this.#document.tape.kind(row) !== ARRAY) {
      this.#refuse(row, key, 'an array of objects');
      return 0;
    }
    return countElements(this.#document, row);
  }

  toolChoice(): Fields['toolChoice'] {
    const row = this.#present('tool_choice');
    if (row === null) return 'absent';
    if (this.#document.tape.kind(row) === OBJECT) return 'named';
    const choice = this.#document.tape.isString(row)
      ? this.string('tool_choice')
      : this.#refuse(row, 'tool_choice', 'a string or an object');
    if (choice === null) return 'absent';
    return choice === 'none' || choice === 'required' ? choice : 'auto';
  }

  responseFormat(): Fields['responseFormat'] {
    const row = this.#present('response_format');
    if (row === null) return null;
    const { tape } = this.#document;
    if (tape.kind(row) !== OBJECT) return this.#refuse(row, 'response_format', 'an object');
    const type = lastMembers(this.#document, row).get('type');
    if (type === undefined || !tape.isString(type) || tape.end(type) - tape.start(type) > 64) return null;
    const name = textOf(this.#document, type);
    return name === 'text' || name === 'json_object' || name === 'json_schema' ? name : null;
  }

  /** A boolean in chat; in completions a number of alternatives. */
  logprobs(): boolean {
    const row = this.#present('logprobs');
    if (row === null) return false;
    return this.#document.tape.kind(row) === NUMBER || this.boolean('logprobs') === true;
  }

  callerReasoning(): CallerReasoning {
    const effort = this.string('reasoning_effort');
    const effortRow = this.#present('reasoning_effort');
    if (effortRow !== null && this.#size(effortRow) > MAX_STRING_BYTES) {
      this.problem ??= tooLong('reasoning_effort', MAX_STRING_BYTES);
    }
    const row = this.#present('chat_template_kwargs');
    if (row === null) return { effort, templateKwargs: null, templateKwargsSpan: null };
    if (this.#document.tape.kind(row) !== OBJECT) {
      this.#refuse(row, 'chat_template_kwargs', 'an object');
      return { effort, templateKwargs: null, templateKwargsSpan: null };
    }
    if (countElements(this.#document, row) > 2 * MAX_KWARGS) {
      this.problem ??= tooManyItems('chat_template_kwargs', `at most ${MAX_KWARGS} members`);
      return { effort, templateKwargs: null, templateKwargsSpan: null };
    }
    const templateKwargs = [...members(this.#document, row)].map(([key, value]) => ({
      key: keyOf(this.#document, key),
      keySpan: spanOf(this.#document, key),
      valueSpan: spanOf(this.#document, value),
      value: this.#size(value) > MAX_STRING_BYTES ? undefined : this.#json(value),
    }));
    return { effort, templateKwargs, templateKwargsSpan: spanOf(this.#document, row) };
  }

  #size(row: number): number {
    return this.#document.tape.end(row) - this.#document.tape.start(row);
  }

  routingFields(): RawRoutingFields {
    return { routing: this.#knob('routing'), provider: this.#knob('provider'), models: this.#knob('models') };
  }

  #knob(key: string): unknown {
    const row = this.#top.get(key);
    if (row === undefined) return undefined;
    if (this.#size(row) <= MAX_KNOB_BYTES) return this.#json(row);
    this.problem ??= tooLong(key, MAX_KNOB_BYTES);
    return undefined;
  }
}
