import type { CategoryConfig, EndpointConfig, ModelConfig, ReasoningFamily, RouterConfig } from './schema.ts';

/** One configured model with everything that refers to it looked up. */
export interface ModelEntry {
  readonly name: string;
  /** The name that its endpoints know it by. */
  readonly servedName: string;
  readonly config: ModelConfig;
  /** In the order of preferred_endpoints, else of the file; drained ones (weight 0) included. */
  readonly endpoints: readonly EndpointConfig[];
  readonly reasoningFamily: ReasoningFamily | null;
}

/** The config with its names resolved: what the decision reads. Built once a snapshot, never changed. */
export interface Registry {
  readonly config: RouterConfig;
  /** Hash of the effective config: policy_version in logs and decisions. */
  readonly version: string;
  /** By exact name, in the file's order. */
  readonly models: ReadonlyMap<string, ModelEntry>;
  readonly endpoints: ReadonlyMap<string, EndpointConfig>;
  /** By lower-case name. */
  readonly categories: ReadonlyMap<string, CategoryConfig>;
  readonly defaultModel: string;
  /** Names that mean "choose for me": auto, the auto_model_name and vllm-sr/auto. */
  readonly aliases: ReadonlySet<string>;
}
