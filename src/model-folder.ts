import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** models/ of this package, from src/ and from dist/ alike: they are found wherever the package lies. */
export const MODELS = fileURLToPath(new URL('../models', import.meta.url));

/** The folder that a model_id means: a path with a slash that is there, else a name under models/. */
export function modelFolder(modelId: string): string {
  return modelId.includes('/') && existsSync(modelId) ? modelId : join(MODELS, modelId.replace(/^models\//, ''));
}
