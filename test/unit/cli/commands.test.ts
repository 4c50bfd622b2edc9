import { afterEach, describe, expect, test } from '@jest/globals';
import { chmodSync } from 'node:fs';
import { CONFIG, eventually, fileWith, runCommand, startCommand, type Started } from './run-command.ts';

const LABELS = 14;
const running: Started[] = [];
afterEach(async () => {
  for (const command of running) command.kill('SIGKILL');
  await Promise.all(running.splice(0).map((command) => command.ended));
});

describe('classify', () => {
  test('prints the signals of a text as JSON, and nothing of the text', async () => {
    const { code, stdout, stderr } = await runCommand([
      'classify',
      '--json',
      'What',
      'is the derivative of x squared?',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as {
      category: string;
      confidence: number;
      probabilities: Record<string, number>;
    };
    expect(report.category).toBe('math');
    expect(Object.keys(report.probabilities)).toHaveLength(LABELS);
    expect(Object.values(report.probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    expect(report.probabilities['math']).toBe(report.confidence);
    expect(stdout).not.toContain('derivative');
  }, 30_000);

  test('reads standard input when there is no text, and prints for people', async () => {
    const { code, stdout } = await runCommand(['classify'], {
      stdin: 'Which court hears an appeal on a breach of contract?\n',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^category {4}law \(0\.\d{4}\)$/m);
    expect(stdout).toMatch(/^entropy {5}\d\.\d+ bits, normalised 0\.\d+, (very_)?(low|high)|medium$/m);
  }, 30_000);

  test.each([
    [['classify'], '  \n', 2],
    [['classify', '--model', 'nope', 'x'], '', 1],
  ])(
    '%j with %j is exit %i',
    async (args, stdin, expected) => {
      const { code, stdout, stderr } = await runCommand(args, { stdin });
      expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
      expect(stderr).not.toContain('    at ');
    },
    30_000,
  );
});

describe('explain', () => {
  const config = fileWith('explain.yaml', CONFIG);
  const request = (model: string) =>
    JSON.stringify({ model, messages: [{ role: 'user', content: 'Prove that the square root of 2 is irrational.' }] });

  test('prints the decision and the plan, and nothing of the prompt', async () => {
    const file = fileWith('request.json', request('auto'));
    const { code, stdout } = await runCommand(['explain', '--config', config, file]);
    expect(code).toBe(0);
    const explained = JSON.parse(stdout) as { plan: { targets: unknown[] } };
    // Further targets are stand-ins for later attempts.
    expect(explained.plan.targets[0]).toMatchObject({
      model: 'math-model',
      endpoint: 'one',
      address: '127.0.0.1:8000',
    });
    expect(explained).toMatchObject({
      decision: { decision: 'auto', selectedModel: 'math-model', category: { name: 'math' } },
      signals: { encoding: { truncated: false } },
    });
    expect(stdout).not.toContain('irrational');
  }, 30_000);

  test('headers steer it as a client’s would', async () => {
    const file = fileWith('steered.json', request('auto'));
    const explainWith = (...headers: string[]) =>
      runCommand(['explain', '--config', config, ...headers.flatMap((header) => ['-H', header]), file]);
    const { code, stdout } = await explainWith('X-Routing-Objective: cost', 'x-selected-model: evil');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ decision: { objective: { kind: 'cost', source: 'header' } } });
    const wrong = await explainWith('Bearer secret');
    expect([wrong.code, wrong.stderr]).toEqual([2, 'a header is "name: value"\n']);
  }, 30_000);

  test('a request that would be refused is exit 1 and says why', async () => {
    const { code, stdout } = await runCommand(['explain', '--config', config, '-'], { stdin: request('gpt-17') });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ refused: { status: 404, code: 'model_not_found' } });
  }, 30_000);
});

/** Ports are the system's choice, so that tests can run beside anything. */
const ANY_PORTS = ['--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0', '--metrics', '127.0.0.1:0'];

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'runs until %s and ends with 0; its log is JSON on standard error',
    async (signal) => {
      const command = startCommand(['serve', '--config', fileWith('serve.yaml', CONFIG), ...ANY_PORTS]);
      running.push(command);
      const ready = await eventually(() => linesOf(command.stderr()).find((line) => line['event'] === 'ready'));
      const health = await fetch(`http://127.0.0.1:${String(ready['http_port'])}/ready`);
      expect(health.status).toBe(200);
      const metrics = await fetch(`http://127.0.0.1:${String(ready['metrics_port'])}/metrics`);
      expect(await metrics.text()).toContain('switchyard_config_info{version=');
      command.kill(signal);
      const { code, stdout, stderr } = await command.ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(linesOf(stderr).map((line) => line['event'])).toEqual(
        expect.arrayContaining(['ready', 'stopping', 'stopped']),
      );
    },
    40_000,
  );

  test('follows its file within two seconds, and keeps what it has when the file goes bad', async () => {
    const file = fileWith('followed.yaml', CONFIG);
    const command = startCommand(['serve', '--config', file, ...ANY_PORTS]);
    running.push(command);
    const event = (name: string) => eventually(() => linesOf(command.stderr()).find((line) => line['event'] === name));
    const ready = await event('ready');
    const api = `http://127.0.0.1:${String(ready['http_port'])}`;
    fileWith('followed.yaml', CONFIG.replace('default_model: general', 'default_model: math-model'));
    const reloaded = await event('config_reloaded');
    expect(reloaded).toMatchObject({ previous_version: ready['policy_version'], source: 'file' });
    fileWith('followed.yaml', 'vllm_endpoints: 7\n');
    const failed = await event('config_reload_failed');
    expect(failed['policy_version']).toBe(reloaded['policy_version']);
    const info = (await (await fetch(`${api}/info/classifier`)).json()) as { policy_version: string; config: unknown };
    expect(info).toMatchObject({ policy_version: reloaded['policy_version'], config: { default_model: 'math-model' } });
    command.kill('SIGTERM');
    expect((await command.ended).code).toBe(0);
  }, 40_000);

  test('a bad config is exit 1, in the log', async () => {
    const { code, stdout, stderr } = await runCommand([
      'serve',
      '--config',
      fileWith('none.yaml', 'x: 1\n'),
      ...ANY_PORTS,
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(linesOf(stderr).at(-1)).toMatchObject({ level: 'fatal', event: 'start_failed' });
  }, 30_000);
});

describe('up', () => {
  /** Stands in for Envoy: keeps its arguments, and ends as the test wants. */
  const envoy = (name: string, body: string) => {
    const path = fileWith(name, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const up = (binary: string) => {
    const command = startCommand(
      ['up', '--config', fileWith('up.yaml', CONFIG), ...ANY_PORTS, '--listen', '127.0.0.1:18801'],
      {
        env: { ENVOY_BIN: binary },
      },
    );
    running.push(command);
    return command;
  };

  test('runs Envoy with the bootstrap for the ports that it got, and stops it first', async () => {
    const command = up(
      envoy(
        'good-envoy',
        `trap 'echo "{\\"event\\":\\"fake_envoy_stopped\\"}" >&2; exit 0' TERM; cat "$2" >&2; while :; do sleep 0.1; done`,
      ),
    );
    const ready = await eventually(() => linesOf(command.stderr()).find((line) => line['event'] === 'ready'));
    await eventually(() => command.stderr().includes('port_value: 18801'));
    await eventually(() => command.stderr().includes(`port_value: ${String(ready['grpc_port'])}`));
    await eventually(() => command.stderr().includes(`port_value: ${String(ready['http_port'])}`));
    command.kill('SIGTERM');
    const { code, stderr } = await command.ended;
    expect(code).toBe(0);
    const events = linesOf(stderr).map((line) => line['event']);
    expect(events.indexOf('stopping')).toBeLessThan(events.indexOf('fake_envoy_stopped'));
    expect(events.indexOf('fake_envoy_stopped')).toBeLessThan(events.indexOf('stopped'));
  }, 40_000);

  test('ends with 1 when Envoy ends', async () => {
    const { code, stderr } = await up(envoy('bad-envoy', 'exit 3')).ended;
    expect(code).toBe(1);
    expect(linesOf(stderr).find((line) => line['event'] === 'envoy_ended')).toMatchObject({
      level: 'fatal',
      reason: 'envoy ended with exit code 3',
    });
  }, 40_000);

  test('says what to do without an Envoy', async () => {
    const { code, stderr } = await up('/nope/envoy').ended;
    expect(code).toBe(1);
    expect(stderr).toContain('ENVOY_BIN is /nope/envoy');
  }, 40_000);
});
