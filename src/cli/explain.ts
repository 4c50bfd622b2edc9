import { Command } from 'commander';
import type { Registry } from '../config/registry.ts';
import { NOTHING_OBSERVED } from '../decision/observations.ts';
import { formatHostPort } from '../envoy/address.ts';
import { route, type Routed, type World } from '../route.ts';
import type { Encoder } from '../signals/signals.ts';
import { readNamedFile, requireConfig } from './config-file.ts';
import { openEncoder } from './encoder.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { readStdin } from './input.ts';
import { configOption } from './options.ts';

interface ExplainOptions {
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
    .action(async (file: string, options: ExplainOptions) => {
      const registry = await requireConfig(options.config);
      const body = file === '-' ? await readStdin() : await readNamedFile(file);
      const encoder = await openEncoder(registry.config.classifier.category_model.model_id);
      try {
        const routed = await explain(body, options.path, registry, encoder);
        process.stdout.write(`${JSON.stringify(explanation(routed), null, 2)}\n`);
        if (routed.outcome.kind === 'refused') throw new CommandFailure(EXIT.failure, '');
      } finally {
        await encoder.close();
      }
    });
}

/** Nobody waits for a request here: the same body gives the same decision on a busy machine too. */
const DEADLINE_MS = 10_000;

/** Routes a body as the router would with all endpoints up. Names are not looked up, and equal choices fall to the first endpoint. */
export function explain(body: Uint8Array, path: string, registry: Registry, encoder: Encoder): Promise<Routed> {
  const addresses = new Map(
    [...registry.endpoints.values()].map((endpoint) => [
      endpoint.name,
      [formatHostPort({ host: endpoint.address, port: endpoint.port })],
    ]),
  );
  const world: World = {
    registry,
    encoder,
    deadlineMs: DEADLINE_MS,
    endpoints: { addresses },
    apiKey: () => null,
    clock: () => performance.now(),
    nowMs: () => Date.now(),
    observations: NOTHING_OBSERVED,
    random: () => 0,
    pause: () => Promise.resolve(),
  };
  return route({ path, headers: new Map(), body, signal: new AbortController().signal }, world);
}

/** What is printed: no part of the body, and no embedding. */
export function explanation({ outcome, signals, latencyMs }: Routed): unknown {
  const seen = signals === null ? null : { ...signals, encoding: withoutEmbedding(signals.encoding) };
  return outcome.kind === 'refused'
    ? { refused: outcome.error, reasonCode: outcome.reasonCode, candidates: outcome.candidates, signals: seen }
    : { decision: outcome.decision, plan: outcome.plan, signals: seen, latencyMs };
}

function withoutEmbedding(encoding: NonNullable<Routed['signals']>['encoding']): unknown {
  return encoding === null ? null : { ...encoding, embedding: undefined };
}
