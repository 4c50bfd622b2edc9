// `npm start`: set-up, a simulated endpoint for every local one of config/example.yaml, and the router with Envoy in front of it.
// Arguments go to `switchyard up`, like `npm start -- --listen 127.0.0.1:9801`.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT, setUp } from './setup.mjs';

const DEFAULTS = {
  listen: '0.0.0.0:8801',
  admin: '127.0.0.1:9901',
  grpc: '127.0.0.1:50051',
  http: '127.0.0.1:8080',
  metrics: '127.0.0.1:9190',
};
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;
/** Between two words of a streamed answer: about as fast as a small model. */
const CHUNK_DELAY_MS = 20;

try {
  await start(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`start: ${error.message}\n`);
  process.exit(1);
}

async function start(args) {
  if (setUp() === null) throw new Error('Envoy is needed to start.');
  const given = (name) => args.find((_, index) => args[index - 1] === `--${name}`);
  const config = given('config') ?? join('config', 'example.yaml');
  const addresses = Object.entries(DEFAULTS).map(([name, fallback]) => [name, given(name) ?? fallback]);
  const endpoints = await localEndpoints(join(ROOT, config));

  const wanted = [
    ...addresses.filter(([, at]) => at !== 'off').map(([name, at]) => ({ what: `--${name}`, ...split(at) })),
    ...endpoints.map(({ name, port }) => ({ what: `the simulated endpoint ${name}`, host: '127.0.0.1', port })),
  ];
  const taken = [];
  for (const { what, host, port } of wanted) if (!(await isFree(host, port))) taken.push(`${host}:${port} (${what})`);
  if (taken.length > 0)
    throw new Error(
      `taken by another program: ${taken.join(', ')}. Stop it, or choose other ports: npm start -- --listen 0.0.0.0:9801`,
    );

  const { startSim } = await import('../dist/sim/sim.js');
  const sims = [];
  for (const { port, models } of endpoints)
    sims.push(await startSim({ models, port, behaviour: { chunkDelayMs: CHUNK_DELAY_MS } }));
  for (const { name, port, models } of endpoints)
    say(`simulated endpoint ${name} (${models.join(', ')}) on 127.0.0.1:${port}`);

  const up = spawn(process.execPath, ['dist/cli/main.js', 'up', '--config', config, ...withoutConfig(args)], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to all of us; a supervisor's SIGTERM comes here alone.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => up.kill('SIGTERM'));
  // npm does not pass on a SIGTERM that it gets: its end is all that we see of it.
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid === parent || up.kill('SIGTERM'), 500);
  let ended = false;
  const exit = new Promise((resolve) => up.once('exit', (code) => ((ended = true), resolve(code ?? 1))));
  const { host, port } = split(addresses.find(([name]) => name === 'listen')[1]);
  const url = `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}`;
  void announce(url, () => ended);
  const code = await exit;
  clearInterval(watch);
  await Promise.all(sims.map((sim) => sim.close()));
  process.exit(code);
}

/** Endpoints that the config puts on this machine, and the names that they serve their models by. */
async function localEndpoints(file) {
  const { load } = await import('../dist/config/load.js');
  const loaded = load(readFileSync(file, 'utf8'), file, process.env);
  if (loaded.kind === 'rejected')
    throw new Error(`${file} has errors: run \`node dist/cli/main.js check --config ${file}\``);
  const { endpoints, models } = loaded.registry;
  return [...endpoints.values()]
    .filter(({ address }) => LOCAL.test(address))
    .map(({ name, port }) => ({
      name,
      port,
      models: [...models.values()]
        .filter((model) => model.endpoints.some((one) => one.name === name))
        .map((model) => model.servedName),
    }))
    .filter(({ models: served }) => served.length > 0);
}

/** Says how to try it as soon as it answers. */
async function announce(url, isOver) {
  while (!isOver()) {
    try {
      const { ok } = await fetch(`${url}/v1/models`, { signal: AbortSignal.timeout(1000) });
      if (ok) {
        say(`ready on ${url}. Try it:\n
  curl ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"auto","messages":[{"role":"user","content":"What is the derivative of x^3?"}]}'\n`);
        return;
      }
    } catch {
      // Not up yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isFree(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function split(address) {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) };
}

function withoutConfig(args) {
  const at = args.indexOf('--config');
  return at === -1 ? args : args.toSpliced(at, 2);
}

function say(text) {
  process.stderr.write(`start: ${text}\n`);
}
