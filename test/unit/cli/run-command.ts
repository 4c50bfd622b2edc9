import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that is running; `stderr()` is what it has said so far. */
export interface Started {
  readonly pid: number;
  readonly stderr: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

/** Starts the command line from the sources, as its own process. */
export function startCommand(
  args: readonly string[],
  options: { readonly stdin?: string; readonly env?: Record<string, string> } = {},
): Started {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src/cli/main.ts'), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(options.stdin ?? '');
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { pid: child.pid ?? 0, stderr: () => stderr, kill: (signal) => void child.kill(signal), ended };
}

/** Runs it to its end. */
export function runCommand(args: readonly string[], options: Parameters<typeof startCommand>[1] = {}): Promise<Ended> {
  return startCommand(args, options).ended;
}

/** Waits until the condition gives something, for 15 seconds at most. */
export async function eventually<Value>(look: () => Value | null | undefined | false): Promise<Value> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not happen within 15 seconds');
}

const FOLDER = mkdtempSync(join(tmpdir(), 'switchyard-cli-test-'));

/** Writes a file of its own and returns its path. */
export function fileWith(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

export const CONFIG = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8000, models: [general, math-model] }
model_config:
  math-model: { reasoning_family: qwen3 }
default_model: general
categories:
  - name: math
    system_prompt: You are a mathematician.
    model_scores: [{ model: math-model, score: 0.9, use_reasoning: true }]
`;
