import { createEncoder, type RunningEncoder } from '../ml/encoder.ts';
import { modelFolder } from '../model-folder.ts';

/** Loads a model folder for a command that asks once and ends. */
export async function openEncoder(modelId: string): Promise<RunningEncoder> {
  return createEncoder({ bundleDir: modelFolder(modelId), useCpu: true, workers: 1, memoBytes: 0 });
}
