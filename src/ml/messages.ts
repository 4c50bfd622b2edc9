/** What the main thread and an encoder worker say to each other. Plain values: all of it is copied by structured clone. */
import type { LinearHead } from './linear-head.ts';
import type { OutputWidths, Provider, RawEncoding } from './session.ts';
import type { CutText, TokenWindow } from './window.ts';

export interface WorkerSetup {
  readonly modelPath: string;
  readonly tokenizerJson: string;
  readonly tokenizerConfigJson: string;
  readonly window: TokenWindow;
  readonly widths: OutputWidths;
  /** Gives the category logits when the graph is not asked for them. */
  readonly categoryHead: LinearHead | null;
  readonly providers: readonly Provider[];
}

export interface TextResult {
  readonly raw: RawEncoding;
  /** Tokens that went through the encoder, special tokens included. */
  readonly tokens: number;
  readonly truncated: boolean;
}

export type ToWorker =
  { readonly kind: 'run'; readonly id: number; readonly texts: readonly CutText[] } | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly provider: Provider; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly results: readonly TextResult[];
      readonly inferenceMs: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
