/** What can be seen of a request without understanding it. */
export interface Shape {
  /** Estimated prompt tokens of all messages and tool definitions; `inputTokensExact` says whether a tokenizer counted them. */
  readonly inputTokens: number;
  readonly inputTokensExact: boolean;
  readonly turns: number;
  readonly hasTools: boolean;
  readonly hasImages: boolean;
  readonly hasAudio: boolean;
  readonly hasFiles: boolean;
  readonly wantsJson: 'json_object' | 'json_schema' | null;
  readonly wantsLogprobs: boolean;
  readonly choices: number;
  readonly maxOutputTokens: number | null;
  readonly hasCode: boolean;
  /** ISO 639-1 code of the newest user text, or null when it can't be told. */
  readonly language: string | null;
  readonly stream: boolean;
}
