import { Command } from 'commander';
import { lookUpModel } from '../model-look.ts';
import { countLine, loadConfigFile, writeProblems } from './config-file.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { configOption } from './options.ts';

/** `switchyard check`: every problem of a config on standard output; exit 1 when one of them is an error. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Validates a config. Prints every problem as `CODE file:line:col path: what; allowed; how to fix`.')
    .addOption(configOption())
    .action(async ({ config }: { readonly config: string }) => {
      const outcome = await loadConfigFile(config, lookUpModel);
      if (outcome.kind === 'rejected') writeProblems(process.stdout, outcome.problems);
      writeProblems(process.stdout, outcome.warnings);
      if (outcome.kind === 'rejected') throw new CommandFailure(EXIT.failure, countLine(config, outcome));
      process.stderr.write(`${countLine(config, outcome)}\n`);
    });
}
