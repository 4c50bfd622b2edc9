import { describe, expect, jest, test } from '@jest/globals';
import { run } from '../../../src/cli/program.ts';
import { CONFIG, fileWith } from './run-command.ts';

const COMMANDS = ['serve', 'up', 'check', 'envoy', 'classify', 'explain', 'train', 'eval', 'outcomes', 'sim'];

/** Runs a command line in this process and keeps what it prints. */
async function inProcess(...args: string[]) {
  const kept = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      kept[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await run(args);
    return { code, ...kept };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe('help', () => {
  test('lists the commands', async () => {
    const { code, stdout } = await inProcess('--help');
    expect(code).toBe(0);
    expect([...stdout.matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name]) => name)).toEqual([...COMMANDS, 'help']);
  });

  test.each(COMMANDS)('%s has its own, by flag and by command', async (command) => {
    const flag = await inProcess(command, '--help');
    expect(flag).toMatchObject({ code: 0, stderr: '' });
    expect(flag.stdout).toContain(`Usage: switchyard ${command}`);
    expect((await inProcess('help', command)).stdout).toBe(flag.stdout);
  });

  test('the version is the package’s', async () => {
    const { code, stdout } = await inProcess('--version');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage is exit 2, said on standard error', () => {
  test.each([
    ['no command', []],
    ['an unknown command', ['srve']],
    ['an unknown option', ['check', '--confg', 'x']],
    ['a missing option', ['check']],
    ['a missing option of serve', ['serve']],
    ['an option without its value', ['check', '--config']],
    ['an extra argument', ['check', '--config', 'x', 'y']],
    ['an address without a port', ['serve', '--config', 'x', '--grpc', 'localhost']],
    ['a port that is none', ['serve', '--config', 'x', '--http', '127.0.0.1:99999']],
    ['a file that is not there', ['check', '--config', '/nope.yaml']],
    ['a config that is not there', ['serve', '--config', '/nope.yaml']],
    ['a config that is not there for up', ['up', '--config', '/nope.yaml']],
    ['a config that is a directory', ['check', '--config', '/tmp']],
    ['no request to explain', ['explain', '--config', 'x']],
    ['a request that is not there', ['explain', '--config', fileWith('good.yaml', CONFIG), '/nope.json']],
  ])('%s', async (_, args) => {
    const { code, stdout, stderr } = await inProcess(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  test('an unknown command comes with what was meant', async () => {
    expect((await inProcess('srve')).stderr).toContain('Did you mean serve?');
  });
});

describe('check', () => {
  test('a good file is silence and exit 0', async () => {
    const file = fileWith('good.yaml', CONFIG);
    const { code, stdout, stderr } = await inProcess('check', '--config', file);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(`${file}: 0 problems, 0 warnings\n`);
  });

  test('every problem is a line on standard output, and exit 1', async () => {
    const bad = CONFIG.replace('port: 8000', 'port: 80000')
      .replace('score: 0.9', 'score: 9')
      .replace('{ model: math-model,', '{ model: mat-model,');
    const file = fileWith('bad.yaml', bad);
    const { code, stdout } = await inProcess('check', '--config', file);
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) expect(line).toMatch(/^CONFIG_[A-Z_]+ \S+bad\.yaml:\d+:\d+ [\w.[\]"-]+: .+/);
    expect(stdout).toContain('vllm_endpoints[0].port');
    expect(stdout).toContain('did you mean');
  });

  test('a classifier that is not there is a problem, with its place and what there is', async () => {
    const file = fileWith('no-model.yaml', `${CONFIG}classifier: { category_model: { model_id: switchyard-minlm } }\n`);
    const { code, stdout } = await inProcess('check', '--config', file);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^CONFIG_CLASSIFIER_UNUSABLE \S+no-model\.yaml:11:43 classifier\.category_model\.model_id: there is no folder "switchyard-minlm"/,
    );
    expect(stdout).toContain('a folder under models/ ("switchyard-minilm"');
    expect(stdout).toContain('did you mean "switchyard-minilm"?');
    // The bootstrap has nothing to do with the model: Envoy's machine need not have it.
    expect((await inProcess('envoy', '--config', file)).code).toBe(0);
  });

  test('a warning is shown and is no failure', async () => {
    const file = fileWith('warned.yaml', `${CONFIG}\nsemantic_cache: { enabled: true }\n`);
    const { code, stdout } = await inProcess('check', '--config', file);
    expect(code).toBe(0);
    expect(stdout).toContain('semantic_cache');
  });
});

describe('envoy', () => {
  test('prints the bootstrap with the addresses that were asked for', async () => {
    const file = fileWith('good.yaml', CONFIG);
    const { code, stdout, stderr } = await inProcess(
      'envoy',
      ...['--config', file, '--listen', '127.0.0.1:18801', '--admin', '127.0.0.1:19901'],
      ...['--grpc', '0.0.0.0:15051', '--http', '[::1]:18080'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const port of [18801, 19901, 15051, 18080]) expect(stdout).toContain(`port_value: ${port}`);
    // Nobody can connect to "every address".
    expect(stdout).not.toContain('0.0.0.0');
  });

  test('a bad config is exit 1 and prints nothing', async () => {
    const { code, stdout, stderr } = await inProcess(
      'envoy',
      '--config',
      fileWith('empty.yaml', 'vllm_endpoints: []\n'),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('CONFIG_');
  });
});
