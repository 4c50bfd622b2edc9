import type { LookUpModel } from './classifier.ts';
import { load } from './load.ts';
import type { LoadOutcome } from './load.ts';
import { printConfig } from './print.ts';
import type { Problem } from './problem.ts';
import type { Registry } from './registry.ts';
import type { RouterConfig } from './schema.ts';
import type { Environment } from './variables.ts';
import { readConfigFile, watchFile } from './watch.ts';
import type { FileReading } from './watch.ts';

export type ConfigSource = 'file' | 'api' | 'rollback';

export type StoreEvent =
  | {
      readonly kind: 'config_reloaded';
      readonly source: ConfigSource;
      readonly registry: Registry;
      readonly previous: Registry;
      readonly warnings: readonly Problem[];
    }
  | {
      /** The change was refused; `current` stays in force. */
      readonly kind: 'config_reload_failed';
      readonly source: ConfigSource;
      readonly current: Registry;
      readonly problems: readonly Problem[];
    };

export interface StoreOptions {
  readonly file: string;
  readonly environment: Environment;
  /** Looks at the folder of a model_id; absent: it is not asked whether it is there. */
  readonly lookUpModel?: LookUpModel;
  /** Milliseconds between two readings of the file, beside the system's notifications (500). */
  readonly pollMs?: number;
  /** Milliseconds for which a content must stand before it is read as a change (100). */
  readonly settleMs?: number;
  /** Hears of errors that a subscriber throws: they stop neither the change nor the other subscribers. */
  readonly onError?: (error: unknown) => void;
}

export type OpenOutcome =
  | { readonly kind: 'opened'; readonly store: ConfigStore; readonly warnings: readonly Problem[] }
  | { readonly kind: 'rejected'; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Snapshots kept for rolling back. */
const MAX_HISTORY = 10;

/** Reads and checks the file; the store that comes back watches it until it is closed. */
export async function openConfigStore(options: StoreOptions): Promise<OpenOutcome> {
  const reading = await readConfigFile(options.file);
  if (reading.kind === 'unreadable')
    return { kind: 'rejected', problems: [unreadable(options.file, reading)], warnings: [] };
  const outcome = load(reading.text, options.file, options.environment, options.lookUpModel);
  if (outcome.kind === 'rejected') return outcome;
  return { kind: 'opened', store: new ConfigStore(options, reading, outcome.registry), warnings: outcome.warnings };
}

/**
 * The configuration in force. A snapshot is a Registry, never changed after it was built; whoever took one may go on with it for a request
 * while a newer one comes into force. The file is the source of truth: a change of it replaces whatever the API had changed.
 */
export class ConfigStore {
  readonly #options: StoreOptions;
  readonly #subscribers = new Set<(event: StoreEvent) => void>();
  readonly #history: Registry[] = [];
  readonly #unwatch: () => void;
  #current: Registry;

  constructor(options: StoreOptions, reading: FileReading, initial: Registry) {
    this.#options = options;
    this.#current = freeze(initial);
    this.#unwatch = watchFile({
      file: options.file,
      initial: reading,
      pollMs: options.pollMs ?? 500,
      settleMs: options.settleMs ?? 100,
      onChange: (changed) => this.#fileChanged(changed),
      onError: (error) => options.onError?.(error),
    });
  }

  /** The snapshot in force. */
  current(): Registry {
    return this.#current;
  }

  /** What a text would become, without putting it in force. */
  propose(text: string): LoadOutcome {
    return load(text, this.#options.file, this.#options.environment, this.#options.lookUpModel);
  }

  /** What a changed config would become: the same checks as for a file, on its printed form. */
  proposeConfig(config: RouterConfig): LoadOutcome {
    return load(printConfig(config), 'api', this.#options.environment, this.#options.lookUpModel);
  }

  /** Puts a snapshot in force and tells the subscribers. The one in force already: nothing happens, false comes back. */
  activate(registry: Registry, source: ConfigSource, warnings: readonly Problem[] = []): boolean {
    if (registry.version === this.#current.version) return false;
    this.#history.push(this.#current);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
    this.#replace(registry, source, warnings);
    return true;
  }

  /** Goes back to the snapshot before the one in force; false when there is none. The file is left as it is. */
  rollback(): boolean {
    const previous = this.#history.pop();
    if (previous === undefined) return false;
    this.#replace(previous, 'rollback', []);
    return true;
  }

  /** Calls back after each change and each refused one. Returns the function that ends it. */
  subscribe(subscriber: (event: StoreEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** Stops watching and forgets the subscribers. The current snapshot stays readable. */
  close(): void {
    this.#unwatch();
    this.#subscribers.clear();
  }

  #fileChanged(reading: FileReading): void {
    if (reading.kind === 'unreadable') {
      this.#refuse([unreadable(this.#options.file, reading)]);
      return;
    }
    const outcome = this.propose(reading.text);
    if (outcome.kind === 'rejected') this.#refuse(outcome.problems);
    else this.activate(outcome.registry, 'file', outcome.warnings);
  }

  #refuse(problems: readonly Problem[]): void {
    this.#tell({ kind: 'config_reload_failed', source: 'file', current: this.#current, problems });
  }

  #replace(registry: Registry, source: ConfigSource, warnings: readonly Problem[]): void {
    const previous = this.#current;
    this.#current = freeze(registry);
    this.#tell({ kind: 'config_reloaded', source, registry, previous, warnings });
  }

  #tell(event: StoreEvent): void {
    for (const subscriber of [...this.#subscribers]) {
      try {
        subscriber(event);
      } catch (error) {
        // One that fails must not keep the others from hearing of the change.
        this.#options.onError?.(error);
      }
    }
  }
}

function unreadable(file: string, reading: FileReading & { readonly kind: 'unreadable' }): Problem {
  return {
    code: 'CONFIG_UNREADABLE',
    file,
    line: 1,
    column: 1,
    path: '',
    message: reading.message,
    allowed: 'a file that this process may read',
    fix: 'restore the file or its permissions',
  };
}

/** The config is what could be changed by accident: a write to it throws from now on. */
function freeze(registry: Registry): Registry {
  deepFreeze(registry.config);
  return registry;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
}
