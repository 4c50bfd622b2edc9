import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEncoder, type RunningEncoder } from '../ml/encoder.ts';

/** Two levels up from src/cli and from dist/cli alike: the models are found wherever the package lies. */
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

/** Loads a model folder under models/ (or at an absolute path) for a command that asks once and ends. */
export async function openEncoder(modelId: string): Promise<RunningEncoder> {
  return createEncoder({ bundleDir: join(MODELS, modelId), useCpu: true, workers: 1, memoBytes: 0 });
}
