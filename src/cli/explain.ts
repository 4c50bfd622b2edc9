import { Command } from 'commander';
import { explain, explanation } from '../explain.ts';
import { clientHeaders } from '../rewrite/headers.ts';
import { lookUpModel } from '../model-look.ts';
import { readNamedFile, requireConfig } from './config-file.ts';
import { openEncoder } from './encoder.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { readStdin } from './input.ts';
import { configOption } from './options.ts';

interface ExplainOptions {
  readonly header: readonly string[];
  readonly config: string;
  readonly path: string;
}

/** `switchyard explain`: the Decision and the Plan for a request, as JSON. Nothing is sent anywhere; exit 1 when it would be refused. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('Prints the decision and the plan for a chat request (JSON) without sending it.')
    .argument('<request.json>', 'a request body, as a client would send it; - for standard input')
    .addOption(configOption())
    .option('--path <path>', 'the path that it would be sent to', '/v1/chat/completions')
    .option(
      '-H, --header <name: value>',
      'a header that it would have; may stand several times',
      (line, lines: readonly string[]) => [...lines, line],
      [],
    )
    .action(async (file: string, options: ExplainOptions) => {
      const headers = clientHeaders(options.header.map(headerOf));
      const registry = await requireConfig(options.config, lookUpModel);
      const body = file === '-' ? await readStdin() : await readNamedFile(file);
      const encoder = await openEncoder(registry.config.classifier.category_model.model_id);
      try {
        const routed = await explain({ body, path: options.path, headers }, registry, encoder);
        process.stdout.write(`${JSON.stringify(explanation(routed), null, 2)}\n`);
        if (routed.outcome.kind === 'refused') throw new CommandFailure(EXIT.failure, '');
      } finally {
        await encoder.close();
      }
    });
}

/** `name: value`, as curl takes it. */
function headerOf(line: string): readonly [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):(.*)$/.exec(line) ?? [];
  // The value may be a key: it is not repeated.
  if (name === undefined || value === undefined) throw new CommandFailure(EXIT.usage, 'a header is "name: value"');
  return [name, value.trim()];
}
