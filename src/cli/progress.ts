/** A bar on standard error, drawn in place; nothing where it is no terminal. */
export interface Progress {
  /** `done` is a share, 0..1. */
  show(what: string, done: number): void;
  /** Takes the bar off the screen. */
  clear(): void;
}

const WIDTH = 30;
/** Drawing more often than this costs more than it tells. */
const REDRAW_MS = 50;

export function progressOn(stream: NodeJS.WriteStream, clock: () => number): Progress {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined };
  let last = -Infinity;
  return {
    show(what, done) {
      if (done < 1 && clock() - last < REDRAW_MS) return;
      last = clock();
      const full = Math.round(Math.min(1, Math.max(0, done)) * WIDTH);
      const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full);
      stream.write(`\r\u001B[K${what.padEnd(10)} ${bar} ${String(Math.floor(done * 100)).padStart(3)} %`);
    },
    clear: () => void stream.write('\r\u001B[K'),
  };
}
