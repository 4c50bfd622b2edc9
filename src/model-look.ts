/** Whether the folder of a model_id can be loaded, told while a config is checked: `check` and a reload say what a start would die of. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelLook } from './config/classifier.ts';
import { suggestion } from './config/suggest.ts';
import type { FileEntry } from './ml/bundle.ts';
import { parseManifest } from './ml/manifest.ts';
import { MODELS, modelFolder } from './model-folder.ts';

/** manifest.json of a real model is a few kB. */
const MAX_MANIFEST_BYTES = 1024 * 1024;
/** Of a manifest that is wrong from top to bottom the beginning says enough. */
const PROBLEMS_SHOWN = 3;
const FOLDERS_SHOWN = 12;

const SOUND_FOLDER = 'a folder whose manifest.json is valid and whose files are as it says';
const RESTORE = 'restore the folder from the release, or make it again with switchyard train';

/**
 * Looks at the folder that a model_id means: its manifest as a whole, and that each file is there with the size that it says. The files
 * themselves are verified when they are loaded. Reads a few kB and never throws.
 */
export function lookUpModel(modelId: string): ModelLook {
  const dir = modelFolder(modelId);
  if (!isFolder(dir)) {
    const folders = modelFolders();
    const some = folders.slice(0, FOLDERS_SHOWN).map((name) => JSON.stringify(name));
    return {
      kind: 'unsound',
      message: `there is no folder ${JSON.stringify(modelId)}, neither by this path nor under models/`,
      allowed: `a folder under models/ (${some.length === 0 ? 'there is none' : some.join(', ')}), or the path of one`,
      fix: suggestion(modelId.replace(/^models\//, ''), folders, 'correct the name, or make it with switchyard train'),
    };
  }
  const manifest = readManifest(dir);
  if (typeof manifest === 'string') return unsound(modelId, manifest);
  const parsed = parseManifest(manifest.value);
  if (parsed.kind === 'invalid') {
    const { problems } = parsed;
    const more = problems.length - PROBLEMS_SHOWN;
    const shown = problems.slice(0, PROBLEMS_SHOWN).join(', ');
    return unsound(modelId, `its manifest is wrong: ${shown}${more > 0 ? `, and ${more} more` : ''}`);
  }
  // What stands under a role that this version does not know was not checked: it may be anything.
  for (const entry of Object.values<Partial<FileEntry> | null>(parsed.manifest.files)) {
    const { path, bytes } = entry ?? {};
    if (typeof path !== 'string' || typeof bytes !== 'number') continue;
    const found = sizeOf(join(dir, path));
    if (found === null) return unsound(modelId, `${path} is missing`);
    if (found !== bytes) return unsound(modelId, `${path} has ${found} bytes, and the manifest says ${bytes}`);
  }
  const { category, jailbreak } = parsed.manifest.outputs;
  return { kind: 'sound', labels: category.labels, hasJailbreak: jailbreak !== undefined };
}

function unsound(modelId: string, what: string): ModelLook {
  const message = `the model ${JSON.stringify(modelId)} cannot be loaded: ${what}`;
  return { kind: 'unsound', message, allowed: SOUND_FOLDER, fix: RESTORE };
}

/** The parsed manifest.json, or what is wrong with it. */
function readManifest(dir: string): { readonly value: unknown } | string {
  const path = join(dir, 'manifest.json');
  const bytes = sizeOf(path);
  if (bytes === null) return 'it has no manifest.json';
  if (bytes > MAX_MANIFEST_BYTES) return `its manifest.json is larger than ${MAX_MANIFEST_BYTES} bytes`;
  try {
    return { value: JSON.parse(readFileSync(path, 'utf8')) as unknown };
  } catch (thrown) {
    return thrown instanceof SyntaxError ? 'its manifest.json is not JSON' : 'its manifest.json cannot be read';
  }
}

/** Names under models/ that hold a manifest. */
function modelFolders(): readonly string[] {
  try {
    return readdirSync(MODELS)
      .filter((name) => sizeOf(join(MODELS, name, 'manifest.json')) !== null)
      .sort();
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Bytes of a file; null when there is none. */
function sizeOf(path: string): number | null {
  try {
    const found = statSync(path);
    return found.isFile() ? found.size : null;
  } catch {
    return null;
  }
}
