import { Command } from 'commander';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reachable, type HostPort } from '../envoy/address.ts';
import { envoyYaml } from '../envoy/bootstrap.ts';
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

/** `switchyard up`: the router, and Envoy beside it with the printed bootstrap. Ends when either ends. */
export function upCommand(): Command {
  return withServeOptions(new Command('up'), '127.0.0.1:50051')
    .description(
      'Runs the router and Envoy beside it. Envoy is $ENVOY_BIN, else `envoy` on PATH, else the one in .venv.',
    )
    .addOption(addressOption('listen', 'where Envoy takes requests', '0.0.0.0:8801'))
    .addOption(addressOption('admin', "Envoy's admin interface", '127.0.0.1:9901'))
    .action(async (options: UpOptions) => {
      const registry = await requireConfig(options.config);
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

/** Runs Envoy until a signal comes or it ends by itself, which is a failure. Its own log goes to our standard error. */
async function runEnvoy(binary: string, bootstrap: string, log: Log): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-'));
  const file = join(folder, 'envoy.yaml');
  await writeFile(file, bootstrap);
  // Hot restart shares memory by a number that two Envoys on one machine would have to agree on.
  const envoy = spawn(binary, ['-c', file, '--disable-hot-restart', '--log-level', 'warn'], {
    stdio: ['ignore', 2, 2],
  });
  log.info({ event: 'envoy_started', pid: envoy.pid, binary }, 'envoy started');
  try {
    const end = await Promise.race([untilExit(envoy), untilSignal()]);
    log.info({ event: 'stopping', reason: end }, 'stopping');
    if (envoy.exitCode !== null || envoy.signalCode !== null || envoy.pid === undefined) {
      log.fatal({ event: 'envoy_ended', reason: end }, 'envoy ended');
      throw new CommandFailure(EXIT.failure, '');
    }
    await stopEnvoy(envoy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilExit(envoy: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    envoy.once('error', (error) => resolve(`envoy could not be started: ${error.message}`));
    envoy.once('exit', (code, signal) => resolve(`envoy ended with ${signal ?? `exit code ${code ?? 'unknown'}`}`));
  });
}

/** Envoy first, so that no request finds it without a router. */
async function stopEnvoy(envoy: ChildProcess): Promise<void> {
  const exited = once(envoy, 'exit');
  envoy.kill('SIGTERM');
  const kill = setTimeout(() => envoy.kill('SIGKILL'), ENVOY_GRACE_MS);
  await exited;
  clearTimeout(kill);
}
