/** What the main thread and an encoder worker say to each other. Plain values: all of it is copied by structured clone. */
import type { LinearHead } from './linear-head.ts';
import type { OutputWidths, Provider, RawEncoding } from './session.ts';

export interface WorkerSetup {
  readonly modelPath: string;
  /** Token ids of the longest text. */
  readonly maxTokens: number;
  readonly widths: OutputWidths;
  /** Gives the category logits when the graph is not asked for them. */
  readonly categoryHead: LinearHead | null;
  readonly providers: readonly Provider[];
}

export type ToWorker =
  | { readonly kind: 'run'; readonly id: number; readonly rows: readonly (readonly number[])[] }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly provider: Provider; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'done';
      readonly id: number;
      /** One for each row of ids, in their order. */
      readonly results: readonly RawEncoding[];
      readonly inferenceMs: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
