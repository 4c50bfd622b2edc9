/** The router of a stack, as a process that can be killed, stopped and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, stopChild } from './harness-envoy.ts';
import { until } from './harness-wait.ts';

export type RouterKind = 'process' | 'fake' | 'none';

export interface RouterOptions {
  readonly kind: RouterKind;
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  readonly grpcPort: number;
  readonly httpPort: number;
}

export interface RunningRouter {
  readonly kind: RouterKind;
  /** The file that it reads its config from: change it to reload. */
  readonly configFile: string;
  /** 0 while it does not run. */
  readonly pid: number;
  /** What it printed, all its lives together. */
  logs(): string;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const FAKE = fileURLToPath(new URL('./harness-fake-router.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export async function startRouter(options: RouterOptions): Promise<RunningRouter> {
  const { kind, config, env, grpcPort, httpPort } = options;
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-router-'));
  const configFile = join(folder, 'config.yaml');
  writeFileSync(configFile, config);
  let child: ChildProcess | null = null;
  const outputs: (() => string)[] = [];

  async function start(): Promise<void> {
    if (kind === 'none') return;
    if (kind === 'process' && !existsSync(MAIN)) throw new Error('dist/cli/main.js is missing: run `npm run build`');
    const args =
      kind === 'process'
        ? [
            MAIN,
            'serve',
            '--config',
            configFile,
            '--grpc',
            `127.0.0.1:${grpcPort}`,
            '--http',
            `127.0.0.1:${httpPort}`,
            '--metrics',
            'off',
          ]
        : ['--import', 'tsx', FAKE];
    const fake = { FAKE_ROUTER: JSON.stringify({ config, env, grpcPort, httpPort }) };
    const started = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Jest's own NODE_OPTIONS are none of the router's business.
      env: { ...process.env, NODE_OPTIONS: '', ...env, ...(kind === 'fake' ? fake : {}) },
    });
    child = started;
    outputs.push(collect(started));
    try {
      await until(
        async () => {
          if (started.exitCode !== null) throw new Error(`the router ended with ${started.exitCode}`);
          return isReady(`http://127.0.0.1:${httpPort}/ready`);
        },
        'the router to be ready',
        30_000,
      );
    } catch (error) {
      started.kill('SIGKILL');
      throw new Error(`${String(error)}\n${outputs.at(-1)?.() ?? ''}`, { cause: error });
    }
  }

  await start();
  return {
    kind,
    configFile,
    get pid() {
      return child?.pid ?? 0;
    },
    logs: () => outputs.map((output) => output()).join(''),
    kill: async () => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const dying = child;
      const gone = new Promise((resolve) => dying.once('exit', resolve));
      dying.kill('SIGKILL');
      await gone;
    },
    signal: (signal) => void child?.kill(signal),
    restart: start,
    stop: async () => {
      child?.kill('SIGCONT');
      if (child !== null) await stopChild(child, 5000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}
