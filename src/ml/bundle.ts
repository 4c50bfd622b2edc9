/** models/<name>/manifest.json: what the files are, where they come from, and how well they measure. Written by training/, read by us. */
export interface Manifest {
  readonly schema_version: 1;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly base_encoder: {
    readonly name: string;
    readonly licence: string;
    readonly source: string;
    readonly sha256: string;
  };
  /** Files of the folder by role: model, tokenizer, tokenizer_config. */
  readonly files: Readonly<
    Record<
      'model' | 'tokenizer' | 'tokenizer_config',
      { readonly path: string; readonly sha256: string; readonly bytes: number }
    >
  >;
  readonly inputs: { readonly max_tokens: number; readonly head_tokens: number; readonly tail_tokens: number };
  /** Graph outputs by name. category: logits [batch, labels] with the temperature folded in; difficulty: logits [batch, tiers]; jailbreak: logit [batch, 1]; embedding: [batch, dims], L2-normalised. */
  readonly outputs: {
    readonly category: { readonly labels: readonly string[]; readonly temperature: number };
    readonly difficulty?: { readonly labels: readonly string[] };
    readonly jailbreak?: { readonly threshold: number };
    readonly embedding?: { readonly dims: number; readonly pooling: 'mean' };
  };
  readonly scores: Readonly<Record<string, number>>;
  readonly data: readonly { readonly name: string; readonly licence: string; readonly use: string }[];
}
