/**
 * YAML text → a tree in which every key and value knows its offset. Built from js-yaml's parse events, so that all duplicate keys are seen
 * and every later complaint has a line and column.
 */
import {
  CORE_SCHEMA,
  EVENT_ID,
  SCALAR_STYLE,
  YAMLException,
  constructFromEvents,
  getScalarValue,
  parseEvents,
} from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import { variableAt } from './variable-at.ts';

/** Offsets are UTF-16 code units from the start of the text. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly start: number;
  readonly end: number;
  /** The decoded text, before it is read as a number, boolean or null. */
  readonly text: string;
  /** Written without quotes or block marks: only then can it be something other than text. */
  readonly plain: boolean;
  readonly value: unknown;
}
export interface ListNode {
  readonly kind: 'list';
  readonly start: number;
  readonly items: readonly YamlNode[];
}
export interface MapNode {
  readonly kind: 'map';
  readonly start: number;
  readonly entries: ReadonlyMap<string, MapEntry>;
}
export interface MapEntry {
  readonly keyStart: number;
  readonly value: YamlNode;
}
export type YamlNode = ScalarNode | ListNode | MapNode;

/** Something wrong with the YAML itself. `path` leads to the mapping or value concerned. */
export type TreeError = {
  readonly offset: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
} & (
  | { readonly kind: 'syntax' | 'duplicate_key' | 'forbidden_key' }
  /** `variable`: the `${…}` as it stands there. */
  | { readonly kind: 'unquoted_variable'; readonly variable: string }
);

export interface ParsedTree {
  /** Null when the text is not YAML at all. */
  readonly root: YamlNode | null;
  readonly errors: readonly TreeError[];
}

/** An alias repeats a whole subtree: a few lines of nested aliases could otherwise stand for billions of nodes. */
const MAX_NODES = 200_000;
const MERGE_KEY = '<<';
/** Numbers, booleans and null begin with one of the characters left out here. */
const CERTAINLY_TEXT = /^[^-+.~0-9tTfFnN]/;

/** Reads one YAML document. Never throws: what is wrong comes back in `errors`, and `root` holds what could be read. */
export function parseTree(text: string): ParsedTree {
  let events: readonly Event[];
  try {
    events = parseEvents(text, {});
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    return {
      root: null,
      errors: [syntaxError(text, thrown)],
    };
  }
  return new TreeBuilder(text, events).build();
}

/** `{ port: ${PORT} }` and `a: ${X:-b: c}`: YAML gives the brace and the colon a meaning of its own, and its reader can't guess what was meant. */
function syntaxError(text: string, { mark, reason }: YAMLException): TreeError {
  const offset = mark?.position ?? 0;
  const variable = variableAt(text, offset);
  return variable === null
    ? { kind: 'syntax', offset, path: [], message: reason }
    : { kind: 'unquoted_variable', ...variable, path: [], message: reason };
}

/** The scalar's value by the YAML 1.2 core schema: 8000 → number, true → boolean, ~ → null, else text. */
export function resolveScalar(text: string): unknown {
  const scalar: ScalarEvent = {
    type: EVENT_ID.SCALAR,
    valueStart: 0,
    valueEnd: text.length,
    anchorStart: -1,
    anchorEnd: -1,
    tagStart: -1,
    tagEnd: -1,
    style: SCALAR_STYLE.PLAIN,
    chomping: 1,
    indent: -1,
    fast: true,
  };
  return construct(scalar, text);
}

function construct(scalar: ScalarEvent, source: string): unknown {
  const document: Event = { type: EVENT_ID.DOCUMENT, explicitStart: false, explicitEnd: false, directives: [] };
  return constructFromEvents([document, scalar, { type: EVENT_ID.POP }], { source, schema: CORE_SCHEMA })[0];
}

/** Walks the events once, by recursive descent. State: the position in the events, the anchors seen, the nodes made. */
class TreeBuilder {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #errors: TreeError[] = [];
  /** Anchor → its node and how many nodes it stands for. */
  readonly #anchors = new Map<string, { readonly node: YamlNode; readonly size: number }>();
  #position = 0;
  #nodes = 0;
  #full = false;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  build(): ParsedTree {
    let root: YamlNode | null = null;
    let documents = 0;
    while (this.#position < this.#events.length) {
      this.#position++; // the document's own event
      documents++;
      if (this.#next().type === EVENT_ID.POP) {
        this.#position++;
        continue;
      }
      const start = startOf(this.#next());
      const node = this.#node([]);
      this.#position++; // the document's end
      if (documents === 1) root = node;
      else this.#fail('syntax', start, [], 'a second YAML document starts here');
    }
    return { root: root ?? nothing(0), errors: this.#errors };
  }

  #next(): Event {
    return this.#events[this.#position] ?? { type: EVENT_ID.POP };
  }

  #fail(
    kind: 'syntax' | 'duplicate_key' | 'forbidden_key',
    offset: number,
    path: readonly (string | number)[],
    message: string,
  ): void {
    this.#errors.push({ kind, offset, path, message });
  }

  #node(path: readonly (string | number)[]): YamlNode {
    const event = this.#next();
    this.#position++;
    const before = this.#nodes;
    this.#nodes++;
    switch (event.type) {
      case EVENT_ID.ALIAS:
        return this.#alias(event.anchorStart, event.anchorEnd, path);
      case EVENT_ID.SCALAR:
        return this.#remember(event, before, this.#scalar(event, path));
      case EVENT_ID.SEQUENCE: {
        const items: YamlNode[] = [];
        while (this.#next().type !== EVENT_ID.POP) items.push(this.#node([...path, items.length]));
        this.#position++;
        return this.#remember(event, before, { kind: 'list', start: event.start, items });
      }
      case EVENT_ID.MAPPING:
        return this.#remember(event, before, this.#map(event.start, path));
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
        return nothing(0);
    }
  }

  #remember<T extends YamlNode>(event: { anchorStart: number; anchorEnd: number }, before: number, node: T): T {
    if (event.anchorStart >= 0) {
      this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), { node, size: this.#nodes - before });
    }
    return node;
  }

  #alias(start: number, end: number, path: readonly (string | number)[]): YamlNode {
    const name = this.#text.slice(start, end);
    const target = this.#anchors.get(name);
    if (target === undefined) {
      this.#fail('syntax', start - 1, path, `*${name} refers to an anchor that is not defined before it`);
      return nothing(start - 1);
    }
    this.#nodes += target.size;
    if (this.#nodes > MAX_NODES) {
      if (!this.#full) this.#fail('syntax', start - 1, path, `aliases expand to more than ${MAX_NODES} values`);
      this.#full = true;
      return nothing(start - 1);
    }
    // The copy stands where the alias stands; what is inside it keeps the place of its own text.
    return { ...target.node, start: start - 1 };
  }

  #scalar(event: ScalarEvent, path: readonly (string | number)[]): ScalarNode {
    const start = startOf(event);
    const text = getScalarValue(this.#text, event);
    const plain = event.style === SCALAR_STYLE.PLAIN;
    try {
      return { kind: 'scalar', start, end: event.valueEnd, text, plain, value: this.#value(event, text, plain) };
    } catch (thrown) {
      if (!(thrown instanceof YAMLException)) throw thrown;
      this.#fail('syntax', start, path, thrown.reason);
      return { kind: 'scalar', start, end: event.valueEnd, text, plain, value: null };
    }
  }

  /** Most scalars are texts that can't be taken for anything else: they skip the schema. */
  #value(event: ScalarEvent, text: string, plain: boolean): unknown {
    if (event.tagStart < 0 && (!plain || CERTAINLY_TEXT.test(text))) return text;
    return construct(event, this.#text);
  }

  #map(start: number, path: readonly (string | number)[]): MapNode {
    const entries = new Map<string, MapEntry>();
    const merges: YamlNode[] = [];
    while (this.#next().type !== EVENT_ID.POP) {
      const keyStart = startOf(this.#next());
      const key = this.#node(path);
      if (key.kind !== 'scalar') {
        this.#fail('syntax', keyStart, path, 'a key must be one plain or quoted text');
        this.#node(path);
        continue;
      }
      const value = this.#node([...path, key.text]);
      if (key.plain && key.text === MERGE_KEY) merges.push(...(value.kind === 'list' ? value.items : [value]));
      else if (key.text === '__proto__') {
        this.#fail('forbidden_key', keyStart, [...path, key.text], '"__proto__" is no name for anything');
      } else if (entries.has(key.text)) {
        this.#fail(
          'duplicate_key',
          keyStart,
          [...path, key.text],
          `the key ${JSON.stringify(key.text)} stands here a second time`,
        );
      } else entries.set(key.text, { keyStart, value });
    }
    this.#position++;
    for (const merged of merges) {
      if (merged.kind === 'map') {
        for (const [key, entry] of merged.entries) if (!entries.has(key)) entries.set(key, entry);
      } else if (merged.kind === 'list' || merged.text !== '') {
        this.#fail('syntax', merged.start, path, '<< must be followed by a mapping or a list of mappings');
      }
    }
    return { kind: 'map', start, entries };
  }
}

function nothing(start: number): ScalarNode {
  return { kind: 'scalar', start, end: start, text: '', plain: true, value: null };
}

function startOf(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      // Quoted values are counted from inside the quotes: the place to point at is the quote.
      return event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
        ? event.valueStart - 1
        : Math.max(0, event.valueStart);
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.POP:
      return 0;
  }
}
