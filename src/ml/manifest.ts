import type { Manifest } from './bundle.ts';

/** Windows beyond this are not what these encoders were built for, and would let one request hold a worker for long. */
const MAX_WINDOW_TOKENS = 8192;
const SHA256 = /^[0-9a-f]{64}$/;
/** A path inside the folder: no drive, no root, no `.` or `..` step, no back slash. */
const INNER_PATH = /^(?!\.{1,2}(\/|$))[\w.-]+(\/(?!\.{1,2}(\/|$))[\w.-]+)*$/;
const FILE_ROLES = ['model', 'tokenizer', 'tokenizer_config'] as const;
const OPTIONAL_ROLES = ['category_head', 'static_table'] as const;
/** Text with the numbers of a linear head: 1,000 labels of 384 dimensions take 5 MB. */
const MAX_HEAD_BYTES = 64 * 1024 * 1024;
/** 14 labels of 30,522 tokens take 0.4 MB; 1,000 labels 30 MB. */
const MAX_STATIC_BYTES = 64 * 1024 * 1024;
const LARGEST: Readonly<Record<string, number>> = { category_head: MAX_HEAD_BYTES, static_table: MAX_STATIC_BYTES };

export type ManifestOutcome =
  | { readonly kind: 'valid'; readonly manifest: Manifest }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Checks a parsed manifest.json as a whole. Each problem names its field, what was found there and what is allowed. */
export function parseManifest(value: unknown): ManifestOutcome {
  const problems: string[] = [];
  const check = new Checker(problems);
  const root = check.object(value, 'manifest.json');
  if (root['schema_version'] !== 1) {
    problems.push(`schema_version: ${show(root['schema_version'])}; this version reads only 1`);
  }
  for (const field of ['name', 'version', 'licence']) check.text(root[field], field);
  const base = check.object(root['base_encoder'], 'base_encoder');
  for (const field of ['name', 'licence', 'source', 'sha256']) check.text(base[field], `base_encoder.${field}`);
  const files = checkFiles(check, root['files']);
  checkWindow(check, root['inputs']);
  checkOutputs(check, root['outputs'], files['category_head'] !== undefined);
  for (const [name, score] of Object.entries(check.object(root['scores'], 'scores'))) {
    check.number(score, `scores.${name}`, -Infinity);
  }
  for (const [index, entry] of check.array(root['data'], 'data').entries()) {
    const data = check.object(entry, `data[${index}]`);
    for (const field of ['name', 'licence', 'use']) check.text(data[field], `data[${index}].${field}`);
  }
  return problems.length === 0 ? { kind: 'valid', manifest: value as Manifest } : { kind: 'invalid', problems };
}

function checkFiles(check: Checker, value: unknown): Record<string, unknown> {
  const files = check.object(value, 'files');
  const roles = [...FILE_ROLES, ...OPTIONAL_ROLES.filter((role) => files[role] !== undefined)];
  for (const role of roles) {
    const file = check.object(files[role], `files.${role}`);
    const path = check.text(file['path'], `files.${role}.path`);
    if (path !== '' && !INNER_PATH.test(path)) {
      check.problems.push(`files.${role}.path: ${show(path)}; a relative path inside the model's folder is needed`);
    }
    const sha256 = check.text(file['sha256'], `files.${role}.sha256`);
    if (sha256 !== '' && !SHA256.test(sha256)) {
      check.problems.push(`files.${role}.sha256: ${show(sha256)}; 64 lower-case hexadecimal digits are needed`);
    }
    check.integer(file['bytes'], `files.${role}.bytes`, 1, LARGEST[role] ?? Number.MAX_SAFE_INTEGER);
  }
  return files;
}

function checkWindow(check: Checker, value: unknown): void {
  const inputs = check.object(value, 'inputs');
  const max = check.integer(inputs['max_tokens'], 'inputs.max_tokens', 8, MAX_WINDOW_TOKENS);
  const head = check.integer(inputs['head_tokens'], 'inputs.head_tokens', 2, MAX_WINDOW_TOKENS);
  const tail = check.integer(inputs['tail_tokens'], 'inputs.tail_tokens', 1, MAX_WINDOW_TOKENS);
  if (head + tail > max) {
    check.problems.push(`inputs: head_tokens ${head} + tail_tokens ${tail} are more than max_tokens ${max}`);
  }
}

function checkOutputs(check: Checker, value: unknown, hasHead: boolean): void {
  const outputs = check.object(value, 'outputs');
  const category = check.object(outputs['category'], 'outputs.category');
  check.labels(category['labels'], 'outputs.category.labels', 2);
  check.number(category['temperature'], 'outputs.category.temperature', Number.MIN_VALUE);
  if (category['thresholds'] !== undefined) checkThresholds(check, category);
  if (hasHead && outputs['embedding'] === undefined) {
    check.problems.push('outputs.embedding: missing; files.category_head reads the embedding');
  }
  if (outputs['difficulty'] !== undefined) {
    const difficulty = check.object(outputs['difficulty'], 'outputs.difficulty');
    check.labels(difficulty['labels'], 'outputs.difficulty.labels', 1);
  }
  if (outputs['jailbreak'] !== undefined) {
    const jailbreak = check.object(outputs['jailbreak'], 'outputs.jailbreak');
    check.number(jailbreak['threshold'], 'outputs.jailbreak.threshold', 0);
  }
  if (outputs['embedding'] !== undefined) {
    const embedding = check.object(outputs['embedding'], 'outputs.embedding');
    check.integer(embedding['dims'], 'outputs.embedding.dims', 1, 65_536);
    if (embedding['pooling'] !== 'mean') {
      check.problems.push(`outputs.embedding.pooling: ${show(embedding['pooling'])}; only "mean" is known`);
    }
  }
}

function checkThresholds(check: Checker, category: Record<string, unknown>): void {
  const path = 'outputs.category.thresholds';
  const thresholds = check.array(category['thresholds'], path);
  for (const [index, threshold] of thresholds.entries()) {
    check.number(threshold, `${path}[${index}]`, 0);
    if (typeof threshold === 'number' && threshold > 1)
      check.problems.push(`${path}[${index}]: ${threshold}; at most 1`);
  }
  const labels = Array.isArray(category['labels']) ? category['labels'].length : 0;
  if (thresholds.length !== labels) check.problems.push(`${path}: ${thresholds.length} for ${labels} labels`);
}

/** Reads fields of unknown JSON; what is missing or wrong is noted, and a harmless value of the right type goes on. */
class Checker {
  readonly problems: string[];
  constructor(problems: string[]) {
    this.problems = problems;
  }

  object(value: unknown, path: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    this.problems.push(`${path}: ${show(value)}; an object is needed`);
    return {};
  }

  array(value: unknown, path: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    this.problems.push(`${path}: ${show(value)}; a list is needed`);
    return [];
  }

  text(value: unknown, path: string): string {
    if (typeof value === 'string' && value !== '') return value;
    this.problems.push(`${path}: ${show(value)}; a string that is not empty is needed`);
    return '';
  }

  number(value: unknown, path: string, minimum: number): void {
    if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return;
    const wanted = minimum === -Infinity ? 'a number' : minimum === 0 ? 'a number ≥ 0' : 'a positive number';
    this.problems.push(`${path}: ${show(value)}; ${wanted} is needed`);
  }

  integer(value: unknown, path: string, minimum: number, maximum: number): number {
    if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum) {
      return value as number;
    }
    this.problems.push(`${path}: ${show(value)}; an integer from ${minimum} to ${maximum} is needed`);
    return minimum;
  }

  labels(value: unknown, path: string, minimum: number): void {
    const labels = this.array(value, path);
    for (const [index, label] of labels.entries()) this.text(label, `${path}[${index}]`);
    if (new Set(labels).size !== labels.length) this.problems.push(`${path}: a label appears twice`);
    if (labels.length < minimum) this.problems.push(`${path}: at least ${minimum} labels are needed`);
  }
}

/** A value as a problem shows it: short, and never more than a line. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(value).slice(0, 60);
}
