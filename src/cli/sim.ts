import { Command, InvalidArgumentError } from 'commander';
import { messageOf } from '../errors.ts';
import { startSim } from '../sim/sim.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { untilSignal } from './stop.ts';

interface SimFlags {
  readonly model: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly chunkDelay: number;
}

/** `switchyard sim`: a simulated vLLM endpoint that runs until it is interrupted. */
export function simCommand(): Command {
  return new Command('sim')
    .description('run a simulated vLLM endpoint; request headers x-sim-status, x-sim-delay-ms, x-sim-cut, … steer it')
    .requiredOption('--model <name...>', 'name that it serves; may be given several times')
    .requiredOption('--port <port>', 'port to listen on (0: any free one)', wholeNumber)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--chunk-delay <ms>', 'milliseconds between the chunks of a streamed answer', wholeNumber, 20)
    .action(run);
}

async function run(flags: SimFlags): Promise<void> {
  const { model: models, host, port, chunkDelay } = flags;
  const sim = await startSim({ models, host, port, behaviour: { chunkDelayMs: chunkDelay } }).catch(
    (error: unknown) => {
      throw new CommandFailure(EXIT.failure, `sim: cannot listen on ${host}:${port}: ${messageOf(error)}`);
    },
  );
  process.stderr.write(`simulated ${models.join(', ')} on http://${host}:${sim.port}\n`);
  await untilSignal();
  await sim.close();
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
  return value;
}
