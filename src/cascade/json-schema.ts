/**
 * Validates a value against a JSON Schema (the keywords that drafts 7 and 2020-12 share in use) within a budget of steps. The schema is a
 * client's: an interpreter that counts its steps stays bounded whatever it says, which generated code does not.
 */
import { isRecord } from '../record.ts';
import { equalJson, repeats } from './json-values.ts';
import { numberHolds, stringHolds } from './json-scalars.ts';

/**
 * unknown: the budget ran out, or the schema refers to something that is not in it. Keywords that are not understood (`format`,
 * `unevaluatedProperties`, a pattern that RE2 does not take) demand nothing.
 */
export type SchemaVerdict = 'valid' | 'invalid' | 'unknown';

/** Subschemas applied to values. A list of a thousand objects of ten members takes some 12,000; all of them run in a few tens of milliseconds. */
const MAX_STEPS = 25_000;
/** Characters that a search goes through in the time of a step. */
const SEARCHED_A_STEP = 20;
/** What a pattern costs before it is searched for: compiling one takes some milliseconds at worst. */
const STEPS_A_PATTERN = 1000;
/** Schemas within schemas, and values within values. */
const MAX_DEPTH = 200;

/** Whether `value` (as JSON.parse gives it) satisfies `schema`. Never throws. */
export function validate(schema: unknown, value: unknown, maxSteps = MAX_STEPS): SchemaVerdict {
  try {
    return new Validation(schema, maxSteps).holds(schema, value, 0) ? 'valid' : 'invalid';
  } catch (thrown) {
    // RangeError: values too deep to be compared.
    if (thrown instanceof Undecided || thrown instanceof RangeError) return 'unknown';
    throw thrown;
  }
}

/** Thrown from wherever the answer can no longer be known; it passes `not` and `anyOf`, which would turn a wrong guess into its opposite. */
class Undecided extends Error {}

type Keywords = Readonly<Record<string, unknown>>;

class Validation {
  readonly #root: unknown;
  #left: number;
  readonly #patterns = new Set<string>();

  constructor(root: unknown, maxSteps: number) {
    this.#root = root;
    this.#left = maxSteps;
  }

  holds(schema: unknown, value: unknown, depth: number): boolean {
    this.#spend(1);
    if (depth > MAX_DEPTH) throw new Undecided();
    if (typeof schema === 'boolean') return schema;
    // What is no schema demands nothing.
    if (!isRecord(schema)) return true;
    const at = depth + 1;
    return (
      this.#reference(schema, value, at) &&
      typeHolds(schema['type'], value) &&
      this.#constants(schema, value) &&
      this.#combined(schema, value, at) &&
      this.#sized(schema, value, at)
    );
  }

  #spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new Undecided();
  }

  /** Each pattern once, whether an earlier answer's check has compiled it or not: the verdict must not hang on that. */
  #spendPattern(pattern: unknown): void {
    if (typeof pattern !== 'string' || this.#patterns.has(pattern)) return;
    this.#patterns.add(pattern);
    this.#spend(STEPS_A_PATTERN);
  }

  #reference(schema: Keywords, value: unknown, depth: number): boolean {
    const reference = schema['$ref'];
    return typeof reference !== 'string' || this.holds(this.#resolve(reference), value, depth);
  }

  /** Only within the schema: nothing is ever fetched. */
  #resolve(reference: string): unknown {
    if (reference !== '#' && !reference.startsWith('#/')) throw new Undecided();
    let at: unknown = this.#root;
    for (const raw of reference.split('/').slice(1)) {
      this.#spend(1);
      const key = unescaped(raw);
      if (Array.isArray(at)) at = (at as unknown[])[Number(key)];
      else if (isRecord(at) && Object.hasOwn(at, key)) at = at[key];
      else throw new Undecided();
    }
    return at;
  }

  #constants(schema: Keywords, value: unknown): boolean {
    const options = schema['enum'];
    const spend = (steps: number): void => this.#spend(steps);
    if (Array.isArray(options) && !options.some((option) => equalJson(option, value, spend))) return false;
    return !Object.hasOwn(schema, 'const') || equalJson(schema['const'], value, spend);
  }

  #combined(schema: Keywords, value: unknown, depth: number): boolean {
    const fits = (inner: unknown): boolean => this.holds(inner, value, depth);
    const { allOf, anyOf, oneOf } = schema;
    if (Array.isArray(allOf) && !allOf.every(fits)) return false;
    if (Array.isArray(anyOf) && !anyOf.some(fits)) return false;
    if (Array.isArray(oneOf) && oneOf.filter(fits).length !== 1) return false;
    if (schema['not'] !== undefined && fits(schema['not'])) return false;
    if (schema['if'] === undefined) return true;
    const branch = fits(schema['if']) ? schema['then'] : schema['else'];
    return branch === undefined || fits(branch);
  }

  #sized(schema: Keywords, value: unknown, depth: number): boolean {
    if (typeof value === 'number') return numberHolds(schema, value);
    if (typeof value === 'string') {
      this.#spendPattern(schema['pattern']);
      this.#spend(value.length / (schema['pattern'] === undefined ? 1000 : SEARCHED_A_STEP));
      return stringHolds(schema, value);
    }
    if (Array.isArray(value)) return this.#array(schema, value, depth);
    return !isRecord(value) || this.#object(schema, value, depth);
  }

  #array(schema: Keywords, values: readonly unknown[], depth: number): boolean {
    if (!within(schema, 'minItems', 'maxItems', values.length)) return false;
    const spend = (steps: number): void => this.#spend(steps);
    if (schema['uniqueItems'] === true && repeats(values, spend)) return false;
    // Draft 7 puts the list of schemas under items and what follows it under additionalItems.
    const { items } = schema;
    const listed = Array.isArray(items) ? items : schema['prefixItems'];
    const tuple: readonly unknown[] = Array.isArray(listed) ? listed : [];
    const rest = Array.isArray(items) ? schema['additionalItems'] : items;
    for (const [index, value] of values.entries()) {
      const inner = index < tuple.length ? tuple[index] : rest;
      if (inner !== undefined && !this.holds(inner, value, depth)) return false;
    }
    return this.#contains(schema, values, depth);
  }

  #contains(schema: Keywords, values: readonly unknown[], depth: number): boolean {
    if (schema['contains'] === undefined) return true;
    const found = values.filter((value) => this.holds(schema['contains'], value, depth)).length;
    const least = typeof schema['minContains'] === 'number' ? schema['minContains'] : 1;
    return found >= least && within(schema, '', 'maxContains', found);
  }

  #object(schema: Keywords, value: Keywords, depth: number): boolean {
    const keys = Object.keys(value);
    this.#spend(keys.length / 10);
    if (!within(schema, 'minProperties', 'maxProperties', keys.length)) return false;
    if (!hasAll(value, schema['required'])) return false;
    const dependent = schema['dependentRequired'];
    if (isRecord(dependent)) {
      for (const [key, needed] of Object.entries(dependent)) {
        if (Object.hasOwn(value, key) && !hasAll(value, needed)) return false;
      }
    }
    const names = schema['propertyNames'];
    if (names !== undefined && !keys.every((key) => this.holds(names, key, depth))) return false;
    return keys.every((key) => this.#member(schema, key, value[key], depth));
  }

  #member(schema: Keywords, key: string, value: unknown, depth: number): boolean {
    const { properties, patternProperties, additionalProperties } = schema;
    let isListed = false;
    if (isRecord(properties) && Object.hasOwn(properties, key)) {
      isListed = true;
      if (!this.holds(properties[key], value, depth)) return false;
    }
    if (isRecord(patternProperties)) {
      for (const [pattern, inner] of Object.entries(patternProperties)) {
        this.#spendPattern(pattern);
        this.#spend(1 + key.length / SEARCHED_A_STEP);
        if (!stringHolds({ pattern }, key)) continue;
        isListed = true;
        if (!this.holds(inner, value, depth)) return false;
      }
    }
    return isListed || additionalProperties === undefined || this.holds(additionalProperties, value, depth);
  }
}

function typeHolds(type: unknown, value: unknown): boolean {
  if (typeof type === 'string') return hasType(type, value);
  return !Array.isArray(type) || type.some((one) => typeof one !== 'string' || hasType(one, value));
}

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      return true;
  }
}

function hasAll(value: Keywords, required: unknown): boolean {
  return !Array.isArray(required) || required.every((key) => typeof key !== 'string' || Object.hasOwn(value, key));
}

/** Whether a count keeps the limits that these keywords set, where they set any. */
function within(schema: Keywords, least: string, most: string, count: number): boolean {
  const low = schema[least];
  const high = schema[most];
  return (typeof low !== 'number' || count >= low) && (typeof high !== 'number' || count <= high);
}

/** A segment of a JSON pointer in a URI fragment (RFC 6901, sections 4 and 6). */
function unescaped(segment: string): string {
  let text = segment;
  try {
    text = decodeURIComponent(segment);
  } catch {
    // A stray % means itself.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
