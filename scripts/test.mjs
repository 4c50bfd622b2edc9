// `npm test`: set-up, then every test. Unit tests side by side, then the ones on the real Envoy one after the other, since they measure time.
// The last line is `N passed, N failed`, whatever else is printed; arguments go to jest.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ROOT, setUp } from './setup.mjs';

const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--passWithNoTests'];
/** What test/closing-line.js prints. */
const CLOSING_LINE = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/;

try {
  setUp();
} catch (error) {
  finish([`set-up: ${error.message}`], { passed: 0, failed: 1, skipped: 0 });
}

const patterns = process.argv.slice(2);
const runs = [];
for (const args of [
  ['--testPathIgnorePatterns', '<rootDir>/test/e2e/', '--', ...patterns],
  ['--runInBand', '--testPathIgnorePatterns', '<rootDir>/test/(?!e2e/)', '--', ...patterns],
])
  runs.push(await jest(args));
const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
finish([], { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') });

/** Runs jest and takes its closing line out of what it prints. A run that ends badly without one counts as one failure. */
async function jest(args) {
  const child = spawn(process.execPath, [...JEST, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const line of createInterface({ input: child.stdout })) {
    const found = CLOSING_LINE.exec(line);
    if (found === null) process.stdout.write(`${line}\n`);
    else Object.assign(counts, { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) });
  }
  if ((await exited) !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function finish(messages, { passed, failed, skipped }) {
  for (const message of messages) process.stderr.write(`${message}\n`);
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  process.stdout.write(`\n${line}\n`, () => process.exit(failed === 0 ? 0 : 1));
}
