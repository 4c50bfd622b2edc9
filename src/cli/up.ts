import { Command } from 'commander';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reachable, type HostPort } from '../envoy/address.ts';
import { envoyYaml } from '../envoy/bootstrap.ts';
import { lookUpModel } from '../model-look.ts';
import type { Log } from '../observability/log.ts';
import { requireConfig } from './config-file.ts';
import { findEnvoy } from './envoy-binary.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { addressOption } from './options.ts';
import { runService, withServeOptions, type ServeOptions } from './serve.ts';
import { untilSignal } from './stop.ts';

interface UpOptions extends ServeOptions {
  readonly listen: HostPort;
  readonly admin: HostPort;
}

/** How long Envoy may take to end after SIGTERM before it is killed. Measured: 6–18 ms. */
const ENVOY_GRACE_MS = 5000;
const SIGNAL_LAG_MS = 250;
/** One JSON object a line, with the names of our own lines. */
const ENVOY_LOG_FORMAT = '{"level":"%l","time":"%Y-%m-%dT%T.%e%z","event":"envoy","logger":"%n","msg":"%j"}';

/** `switchyard up`: the router, and Envoy beside it with the printed bootstrap. Ends when either ends. */
export function upCommand(): Command {
  return withServeOptions(new Command('up'), '127.0.0.1:50051')
    .description(
      'Runs the router and Envoy beside it. Envoy is $ENVOY_BIN, else `envoy` on PATH, else the one in .venv.',
    )
    .addOption(addressOption('listen', 'where Envoy takes requests', '0.0.0.0:8801'))
    .addOption(addressOption('admin', "Envoy's admin interface", '127.0.0.1:9901'))
    .action(async (options: UpOptions) => {
      const registry = await requireConfig(options.config, lookUpModel);
      const binary = findEnvoy(process.env);
      if (binary.kind === 'missing') throw new CommandFailure(EXIT.failure, binary.message);
      await runService(options, async (log, running) => {
        const bootstrap = envoyYaml({
          registry,
          listen: options.listen,
          admin: options.admin,
          grpc: reachable({ host: options.grpc.host, port: running.grpcPort }),
          http: reachable({ host: options.http.host, port: running.httpPort }),
        });
        await runEnvoy(binary.path, bootstrap, log);
      });
    });
}

/**
 * Runs Envoy until a signal comes or it ends by itself, which is a failure. Its own log goes to our standard error, as JSON like ours. Ctrl-C
 * reaches both of us at once: an Envoy that ends a moment before our own signal arrives has not failed.
 */
async function runEnvoy(binary: string, bootstrap: string, log: Log): Promise<void> {
  const signal = untilSignal();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-'));
  const file = join(folder, 'envoy.yaml');
  await writeFile(file, bootstrap);
  // Hot restart shares memory by a number that two Envoys on one machine would have to agree on.
  const args = ['-c', file, '--disable-hot-restart', '--log-level', 'warn', '--log-format', ENVOY_LOG_FORMAT];
  const envoy = spawn(binary, args, { stdio: ['ignore', 2, 2] });
  log.info({ event: 'envoy_started', pid: envoy.pid, binary }, 'envoy started');
  const exit = untilExit(envoy);
  // A crash of ours ends the process without coming back here.
  process.once('exit', () => envoy.kill('SIGKILL'));
  try {
    const isOurs = await Promise.race([signal.then(() => true), exit.then(() => isSoon(signal))]);
    if (!isOurs) {
      log.fatal({ event: 'envoy_ended', reason: await exit }, 'envoy ended');
      throw new CommandFailure(EXIT.failure, '');
    }
    log.info({ event: 'stopping', signal: await signal }, 'stopping');
    // Envoy first, so that no request finds it without a router.
    envoy.kill('SIGTERM');
    const kill = setTimeout(() => envoy.kill('SIGKILL'), ENVOY_GRACE_MS);
    await exit;
    clearTimeout(kill);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a signal arrives within the moment that Envoy's end may be ahead of it. */
async function isSoon(signal: Promise<unknown>): Promise<boolean> {
  return Promise.race([signal.then(() => true), delay(SIGNAL_LAG_MS, false)]);
}

function untilExit(envoy: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    envoy.once('error', (error) => resolve(`envoy could not be started: ${error.message}`));
    envoy.once('exit', (code, signal) => resolve(`envoy ended with ${signal ?? `exit code ${code ?? 'unknown'}`}`));
  });
}
