import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { messageOf, RouterError } from '../errors.ts';
import { CommandFailure, EXIT } from './exit.ts';

interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Each command's file is loaded only when that command runs: `--help` does not pay for gRPC or the model. */
const COMMANDS: readonly Listed[] = [
  {
    name: 'serve',
    summary: 'run the router beside an Envoy of yours',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'up',
    summary: 'run the router and Envoy beside it',
    load: async () => (await import('./up.ts')).upCommand(),
  },
  {
    name: 'check',
    summary: 'validate a config and print every problem',
    load: async () => (await import('./check.ts')).checkCommand(),
  },
  {
    name: 'envoy',
    summary: "print Envoy's bootstrap for a config",
    load: async () => (await import('./envoy.ts')).envoyCommand(),
  },
  {
    name: 'classify',
    summary: 'print what the classifier says about a text',
    load: async () => (await import('./classify.ts')).classifyCommand(),
  },
  {
    name: 'explain',
    summary: 'print the decision and plan for a request, without sending it',
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  {
    name: 'train',
    summary: 'learn categories of your own from labelled examples',
    load: async () => (await import('./train.ts')).trainCommand(),
  },
  {
    name: 'eval',
    summary: 'check categories and decisions against a file of expectations',
    load: async () => (await import('./eval.ts')).evalCommand(),
  },
  {
    name: 'outcomes',
    summary: 'make and show a table of graded answers',
    load: async () => (await import('./outcomes.ts')).outcomesCommand(),
  },
  { name: 'sim', summary: 'run a simulated vLLM endpoint', load: async () => (await import('./sim.ts')).simCommand() },
];

/** Runs the command line without the program's name; resolves to the exit code: 0 success, 1 finding or failure, 2 wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const program = await buildProgram(args);
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (thrown) {
    return codeOf(thrown);
  }
}

/** The program with the command that `args` name; the other commands are only listed. */
async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('switchyard')
    .description('Semantic routing for Envoy and vLLM: reads the prompt, picks the model, says why.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(add --help for the usage)');
  const [first = '', second = ''] = args;
  const wanted = first === 'help' ? second : first;
  for (const { name, summary, load } of COMMANDS) {
    const command = name === wanted ? await load() : new Command(name).description(summary);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  return program;
}

function codeOf(thrown: unknown): number {
  // Commander has printed its message already.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (thrown instanceof CommandFailure) {
    if (thrown.message !== '') process.stderr.write(`${thrown.message}\n`);
    return thrown.exitCode;
  }
  if (thrown instanceof RouterError) {
    process.stderr.write(`${thrown.message}\n`);
    return EXIT.failure;
  }
  process.stderr.write(`switchyard: ${messageOf(thrown)}\n`);
  if (process.env['LOG_LEVEL'] === 'debug' && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`);
  return EXIT.failure;
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
