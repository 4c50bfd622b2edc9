import { describe } from '@jest/globals';
import { findEnvoy } from '../../src/cli/envoy-binary.ts';

/**
 * A suite that needs the real Envoy. Without one it is skipped under a name that says so; under CI=true it runs, and fails with the hint:
 * a build that tests nothing must not look like one that passes.
 */
export function describeWithEnvoy(name: string, suite: () => void): void {
  const found = findEnvoy(process.env);
  if (found.kind === 'found' || process.env['CI'] === 'true') describe(name, suite);
  else describe.skip(`${name} (skipped: no Envoy, run \`npm run envoy:install\`)`, suite);
}

/** The same for several settings; `%s` in the name stands for each. */
describeWithEnvoy.each =
  <T extends string>(values: readonly T[]) =>
  (name: string, suite: (value: T) => void): void => {
    for (const value of values) describeWithEnvoy(name.replace('%s', value), () => suite(value));
  };
