import { pino, type DestinationStream, type Logger } from 'pino';
import { redactFields } from './redact.ts';

const { destination, stdSerializers, stdTimeFunctions } = pino;

export type Log = Logger;

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

export interface LogOptions {
  /** LOG_LEVEL: fatal | error | warn | info | debug | trace | silent; info where it is undefined or none of these. */
  readonly level: string | undefined;
  /** Where lines go; standard error when left out (standard output is for what a command prints). */
  readonly destination?: DestinationStream;
}

/** Lines that may wait for a slow reader of standard error, in bytes; beyond it they are dropped, and how many is said later. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Lines are written together, up to so many bytes or after so many milliseconds: a system call a line cost more than deciding a request. */
const CHUNK_BYTES = 8 * 1024;
const FLUSH_MS = 50;

/** A logger, and the way to write what it still holds. */
export interface OpenLog {
  readonly log: Log;
  /** Writes waiting lines, blocking; call it last before the process exits. */
  readonly flush: () => void;
}

/**
 * The logger: JSON, one line an event, `level` as a word and `time` in ISO 8601. Writes to standard error do not block the event loop, so
 * `flush` must run before the process exits.
 */
export function createLog(options: LogOptions): OpenLog {
  const level = options.level ?? 'info';
  const known = LEVELS.includes(level);
  const standardError = options.destination === undefined ? openStandardError() : undefined;
  const log = pino(
    {
      level: known ? level : 'info',
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        bindings: redactFields,
        log: redactFields,
      },
      serializers: { err: (error: Error) => redactFields({ ...stdSerializers.err(error) }) },
    },
    options.destination ?? standardError,
  );
  if (standardError !== undefined) tellDrops(standardError, log);
  if (!known) log.warn({ event: 'log_level_unknown', allowed: LEVELS }, 'LOG_LEVEL is none of the levels: using info');
  return {
    log,
    flush: () => {
      try {
        standardError?.flushSync();
      } catch {
        // The reader is gone: nowhere left to say it.
      }
    },
  };
}

function openStandardError(): ReturnType<typeof destination> {
  const stream = destination({
    fd: 2,
    sync: false,
    maxLength: MAX_WAITING_BYTES,
    minLength: CHUNK_BYTES,
    periodicFlush: FLUSH_MS,
  });
  // A closed reader (`switchyard serve 2>&1 | head`) must not take the process down.
  stream.on('error', () => undefined);
  return stream;
}

/** Says how many lines were lost once there is room again: a gap that nobody sees would be worse than the gap. */
function tellDrops(stream: ReturnType<typeof destination>, log: Log): void {
  let dropped = 0;
  stream.on('drop', () => (dropped += 1));
  stream.on('drain', () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    log.warn({ event: 'log_lines_dropped', lines }, 'log lines were dropped: their reader is too slow');
  });
}
