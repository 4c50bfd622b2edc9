/** Notices that a file's content has changed, however it was changed. */
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../errors.ts';

export type FileReading =
  { readonly kind: 'content'; readonly text: string } | { readonly kind: 'unreadable'; readonly message: string };

export interface WatchOptions {
  readonly file: string;
  /** What was read last: only something else is a change. */
  readonly initial: FileReading;
  /** How often the file is read whatever the system's notifications say: network file systems send none. */
  readonly pollMs: number;
  /** How long the content must stay the same before it counts: an editor may still be writing. */
  readonly settleMs: number;
  readonly onChange: (reading: FileReading) => void;
  /** What `onChange` throws ends here; the watching goes on. */
  readonly onError: (error: unknown) => void;
}

/**
 * Watches the folder, not the file: editors and Kubernetes replace files by renaming, and then a watch on the old one never speaks again. What
 * decides is the content, read through every symbolic link; notifications only make it faster. Call the returned function to stop.
 */
export function watchFile(options: WatchOptions): () => void {
  let known = identity(options.initial);
  let candidate = known;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  let stopped = false;

  const lookIn = (delayMs: number): void => {
    clearTimeout(timer);
    dueAt = performance.now() + delayMs;
    timer = setTimeout(() => void look().catch(options.onError), delayMs);
    timer.unref();
  };
  const look = async (): Promise<void> => {
    const reading = await readConfigFile(options.file);
    if (stopped) return;
    const seen = identity(reading);
    const settled = seen === candidate;
    candidate = seen;
    lookIn(seen === known || settled ? options.pollMs : options.settleMs);
    if (seen === known || !settled) return;
    known = seen;
    options.onChange(reading);
  };
  const watcher = notifications(options.file, () => {
    // A folder in which something happens all the time must not put the next look off for ever.
    if (!stopped && dueAt > performance.now() + options.settleMs) lookIn(options.settleMs);
  });
  lookIn(options.pollMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
    watcher?.close();
  };
}

/** The file's text, or why it can't be had. */
export async function readConfigFile(file: string): Promise<FileReading> {
  try {
    return { kind: 'content', text: await readFile(file, 'utf8') };
  } catch (thrown) {
    return { kind: 'unreadable', message: messageOf(thrown) };
  }
}

/** Null where the system can't watch (no inotify left, an odd file system): the polling goes on alone. */
function notifications(file: string, onEvent: () => void): FSWatcher | null {
  try {
    const watcher = watch(dirname(file), { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

function identity(reading: FileReading): string {
  return reading.kind === 'content' ? createHash('sha256').update(reading.text).digest('hex') : 'unreadable';
}
