import { load } from '../../../src/config/load.ts';
import type { Registry } from '../../../src/config/registry.ts';

/** The registry of a config text; throws with all its problems. */
export function registryOf(config: string): Registry {
  const loaded = load(config, 'test.yaml', {});
  if (loaded.kind === 'loaded') return loaded.registry;
  throw new Error(loaded.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}
