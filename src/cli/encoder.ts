import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEncoder, type RunningEncoder } from '../ml/encoder.ts';

/** Two levels up from src/cli and from dist/cli alike: the models are found wherever the package lies. */
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

/** The folder that a model_id means, as the router itself reads it: a path with a slash that is there, else a name under models/. */
export function modelFolder(modelId: string): string {
  return modelId.includes('/') && existsSync(modelId) ? modelId : join(MODELS, modelId.replace(/^models\//, ''));
}

/** Loads a model folder for a command that asks once and ends. */
export async function openEncoder(modelId: string): Promise<RunningEncoder> {
  return createEncoder({ bundleDir: modelFolder(modelId), useCpu: true, workers: 1, memoBytes: 0 });
}
