/** One Envoy for one stack: own folder, own ports, its output kept for when something fails. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvoy } from '../../src/cli/envoy-binary.ts';
import type { JsonObject } from '../../src/envoy/xds.ts';
import { until } from './harness-wait.ts';

export interface RunningEnvoy {
  /** http://127.0.0.1:port of the ingress listener. */
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Text of an admin page, like `/clusters`. */
  admin(path: string): Promise<string>;
  /** Counters and gauges whose names match. */
  stats(filter: string): Promise<Readonly<Record<string, number>>>;
  logs(): string;
  stop(): Promise<void>;
}

/** The binary to test with; throws with the hint when there is none. ENVOY_BIN chooses another version. */
export function envoyPath(): string {
  const found = findEnvoy(process.env);
  if (found.kind === 'missing') throw new Error(found.message);
  return found.path;
}

/** Starts Envoy with a bootstrap whose listener and admin ports are 0; resolves when it is live. */
export async function startEnvoy(
  bootstrap: JsonObject,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-envoy-'));
  const addressFile = join(folder, 'admin');
  writeFileSync(join(folder, 'envoy.json'), JSON.stringify(bootstrap));
  const child = spawn(
    envoyPath(),
    [
      '-c',
      join(folder, 'envoy.json'),
      '--disable-hot-restart',
      '--concurrency',
      '1',
      '-l',
      'warning',
      '--component-log-level',
      'ext_proc:error', // one line a request while the router is dead
      '--admin-address-path',
      addressFile,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
  const output = collect(child);
  const stop = async (): Promise<void> => {
    await stopChild(child, 3000);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(() => {
      if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
      return existsSync(addressFile) && readFileSync(addressFile, 'utf8') !== '';
    }, 'Envoy to say where its admin is');
    const adminUrl = `http://${readFileSync(addressFile, 'utf8').trim()}`;
    const admin = async (path: string): Promise<string> => (await fetch(adminUrl + path)).text();
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
      return (await admin('/ready')).trim() === 'LIVE';
    }, 'Envoy to be live');
    const listeners = JSON.parse(await admin('/listeners?format=json')) as {
      listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
    };
    const port = listeners.listener_statuses.find(({ name }) => name === 'ingress')?.local_address.socket_address
      .port_value;
    return {
      url: `http://127.0.0.1:${port}`,
      adminUrl,
      pid: child.pid ?? 0,
      admin,
      stats: async (filter) => parseStats(await admin(`/stats?filter=${encodeURIComponent(filter)}`)),
      logs: output,
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${output()}`, { cause: error });
  }
}

/** Keeps the last part of what a process prints. */
export function collect(child: ChildProcess): () => string {
  const MAX_CHARACTERS = 64_000_000;
  let text = '';
  const add = (chunk: Buffer): void => void (text = (text + chunk.toString()).slice(-MAX_CHARACTERS));
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}

/** SIGTERM, and SIGKILL for what is not gone after `graceMs`. */
export async function stopChild(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

function parseStats(text: string): Record<string, number> {
  const lines = text.split('\n').map((line) => line.split(': '));
  return Object.fromEntries(lines.flatMap(([name, value]) => (name && value ? [[name, Number(value)]] : [])));
}
