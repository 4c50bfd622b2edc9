import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { messageOf, RouterError } from '../errors.ts';
import { parseHead, type LinearHead } from './linear-head.ts';
import { parseManifest } from './manifest.ts';
import { parseStaticTable, type StaticTable } from './static-table.ts';

/** One file of the folder; `path` is relative to it, `sha256` in lower-case hexadecimal digits. */
export interface FileEntry {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** models/<name>/manifest.json: what the files are, where they come from, and how well they measure. Written by training/, read by us. */
export interface Manifest {
  readonly schema_version: 1;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly base_encoder: {
    readonly name: string;
    readonly licence: string;
    readonly source: string;
    readonly sha256: string;
  };
  /**
   * Files of the folder by role. `category_head`: a linear head on the embedding that stands in for the graph's own category output.
   * `static_table`: categories by token, for when there is no time for the graph.
   */
  readonly files: Readonly<Record<'model' | 'tokenizer' | 'tokenizer_config', FileEntry>> & {
    readonly category_head?: FileEntry;
    readonly static_table?: FileEntry;
  };
  readonly inputs: { readonly max_tokens: number; readonly head_tokens: number; readonly tail_tokens: number };
  /** Graph outputs by name. category: logits [batch, labels] with the temperature folded in; difficulty: logits [batch, tiers]; jailbreak: logit [batch, 1]; embedding: [batch, dims], L2-normalised. */
  readonly outputs: {
    readonly category: {
      readonly labels: readonly string[];
      readonly temperature: number;
      /** By label: the probability below which the label is not trusted, 0..1. Absent: the config's threshold alone decides. */
      readonly thresholds?: readonly number[];
    };
    readonly difficulty?: { readonly labels: readonly string[] };
    readonly jailbreak?: { readonly threshold: number };
    readonly embedding?: { readonly dims: number; readonly pooling: 'mean' };
  };
  readonly scores: Readonly<Record<string, number>>;
  readonly data: readonly { readonly name: string; readonly licence: string; readonly use: string }[];
}

/** A model folder that was read and found sound. */
export interface Bundle {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly modelPath: string;
  /** The two tokenizer files, as JSON text. */
  readonly tokenizerJson: string;
  readonly tokenizerConfigJson: string;
  /** Null when the graph's own category output is read. */
  readonly categoryHead: LinearHead | null;
  /** Null when nothing stands in for the encoder. */
  readonly staticTable: StaticTable | null;
}

/** manifest.json of a real model is a few kB; a larger file is something else. */
const MAX_MANIFEST_BYTES = 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads a model folder: the manifest is checked as a whole, and each file that it names against its size and sha256, all at once and without
 * holding the event loop (23 MB: about 40 ms beside other start-up work). Files outside the folder, by `..` or by a link, are refused.
 * Throws RouterError MODEL_BUNDLE_INVALID that says which file and what to do.
 */
export async function loadBundle(dir: string): Promise<Bundle> {
  const manifest = await readManifest(dir);
  const root = await realpath(dir);
  const {
    model,
    tokenizer,
    tokenizer_config: tokenizerConfig,
    category_head: head,
    static_table: table,
  } = manifest.files;
  const [modelPath, tokenizerJson, tokenizerConfigJson, categoryHead, staticTable] = await Promise.all([
    verifyFile(root, model),
    readVerified(root, tokenizer),
    readVerified(root, tokenizerConfig),
    head === undefined ? null : readHead(root, head, manifest),
    table === undefined ? null : readStaticTable(root, table, manifest),
  ]);
  return { dir: root, manifest, modelPath, tokenizerJson, tokenizerConfigJson, categoryHead, staticTable };
}

async function readStaticTable(root: string, file: FileEntry, { outputs }: Manifest): Promise<StaticTable> {
  const outcome = parseStaticTable(await readFile(await verifyFile(root, file)), outputs.category.labels);
  if (outcome.kind === 'invalid') throw invalid(join(root, file.path), outcome.problem, REINSTALL);
  return outcome.table;
}

async function readHead(root: string, file: FileEntry, { outputs }: Manifest): Promise<LinearHead> {
  const outcome = parseHead(await readVerified(root, file), {
    labels: outputs.category.labels.length,
    dims: outputs.embedding?.dims ?? 0,
  });
  if (outcome.kind === 'invalid') throw invalid(join(root, file.path), outcome.problem, 'Train it again');
  return outcome.head;
}

async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, 'manifest.json');
  let text: string;
  try {
    if ((await stat(path)).size > MAX_MANIFEST_BYTES) throw new Error(`larger than ${MAX_MANIFEST_BYTES} bytes`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw invalid(
      path,
      `cannot read the model's manifest: ${messageOf(cause)}`,
      'Set model_id to a folder under models/ that holds a manifest.json',
      cause,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, `not JSON: ${messageOf(cause)}`, REINSTALL, cause);
  }
  const outcome = parseManifest(value);
  if (outcome.kind === 'invalid') throw invalid(path, outcome.problems.join('; '), REINSTALL);
  return outcome.manifest;
}

async function readVerified(root: string, file: FileEntry): Promise<string> {
  return readFile(await verifyFile(root, file), 'utf8');
}

/** The absolute path of a file of the bundle, after its size and sha256 were found right. */
async function verifyFile(root: string, file: FileEntry): Promise<string> {
  const path = join(root, file.path);
  let bytes: number;
  let sha256: string;
  try {
    const real = await realpath(path);
    if (real !== path && !real.startsWith(root + sep)) {
      throw invalid(path, 'the file lies outside the model folder', 'Copy it into the folder instead of linking to it');
    }
    bytes = (await stat(path)).size;
    sha256 = bytes === file.bytes ? await sha256Of(path) : '';
  } catch (cause) {
    if (cause instanceof RouterError) throw cause;
    throw invalid(path, `cannot read the file: ${messageOf(cause)}`, REINSTALL, cause);
  }
  if (bytes !== file.bytes) throw invalid(path, `${bytes} bytes, and the manifest says ${file.bytes}`, REINSTALL);
  if (sha256 !== file.sha256) throw invalid(path, `sha256 ${sha256}, and the manifest says ${file.sha256}`, REINSTALL);
  return path;
}

/** Hashed chunk by chunk, so that a large model neither fills memory nor holds the event loop for more than a millisecond or two. */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

const REINSTALL = 'Restore the folder from the release, or make it again with training/';

function invalid(where: string, message: string, hint: string, cause?: unknown): RouterError {
  return new RouterError({ code: 'MODEL_BUNDLE_INVALID', source: 'internal', where, message, hint, cause });
}
