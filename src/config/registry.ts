import { createHash } from 'node:crypto';
import type { CategoryConfig, EndpointConfig, ModelConfig, ReasoningFamily, RouterConfig } from './schema.ts';

/** One configured model with everything that refers to it looked up. */
export interface ModelEntry {
  readonly name: string;
  /** The name that its endpoints know it by. */
  readonly servedName: string;
  readonly config: ModelConfig;
  /** Exactly preferred_endpoints, in that order; without it every endpoint that lists the model, in the file's order. Drained ones (weight 0) included. */
  readonly endpoints: readonly EndpointConfig[];
  readonly reasoningFamily: ReasoningFamily | null;
}

/** The config with its names resolved: what the decision reads. Built once a snapshot, never changed. */
export interface Registry {
  readonly config: RouterConfig;
  /** Hash of the effective config: policy_version in logs and decisions. */
  readonly version: string;
  /** By exact name: model_config's in the file's order, then those that only endpoints name. */
  readonly models: ReadonlyMap<string, ModelEntry>;
  readonly endpoints: ReadonlyMap<string, EndpointConfig>;
  /** By lower-case name, and by each lower-case label of mmlu_categories that is no category's own name. The values repeat: list `config.categories`. */
  readonly categories: ReadonlyMap<string, CategoryConfig>;
  readonly defaultModel: string;
  /** Names that mean "choose for me": auto, the auto_model_name and vllm-sr/auto. */
  readonly aliases: ReadonlySet<string>;
}

/** Families that need no entry in reasoning_families; an entry of the same name replaces the built-in one. */
export const BUILT_IN_FAMILIES: Readonly<Record<string, ReasoningFamily>> = {
  qwen3: { type: 'chat_template_kwargs', parameter: 'enable_thinking' },
  deepseek: { type: 'chat_template_kwargs', parameter: 'thinking' },
  'gpt-oss': { type: 'reasoning_effort', parameter: 'reasoning_effort' },
  gpt: { type: 'reasoning_effort', parameter: 'reasoning_effort' },
};

/** Names that always mean "choose for me", beside the configured auto_model_name. */
export const FIXED_ALIASES: readonly string[] = ['auto', 'vllm-sr/auto'];

/** Looks every name up once. The config must have passed `load`: names that lead nowhere are left out, not reported. */
export function buildRegistry(config: RouterConfig): Registry {
  const endpoints = new Map(config.vllm_endpoints.map((endpoint) => [endpoint.name, endpoint]));
  const models = new Map<string, ModelEntry>();
  const listed = config.vllm_endpoints.flatMap((endpoint) => endpoint.models ?? []);
  for (const name of new Set([...Object.keys(config.model_config), ...listed])) {
    models.set(name, modelEntry(name, config, endpoints));
  }
  return {
    config,
    version: configVersion(config),
    models,
    endpoints,
    categories: categoryTable(config.categories),
    defaultModel: config.default_model ?? firstModel(config, models),
    aliases: new Set([...FIXED_ALIASES, config.auto_model_name]),
  };
}

/** First 12 hex digits of the SHA-256 of the effective config: equal for files that differ only in comments, order of keys of one object, or written-out defaults. */
export function configVersion(config: RouterConfig): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 12);
}

function modelEntry(name: string, config: RouterConfig, endpoints: ReadonlyMap<string, EndpointConfig>): ModelEntry {
  const model = (Object.hasOwn(config.model_config, name) ? config.model_config[name] : undefined) ?? {};
  const preferred = new Set(model.preferred_endpoints);
  const served =
    preferred.size === 0
      ? config.vllm_endpoints.filter((endpoint) => endpoint.models?.includes(name) === true)
      : [...preferred].flatMap((endpoint) => endpoints.get(endpoint) ?? []);
  return {
    name,
    servedName: model.served_model_name ?? name,
    config: model,
    endpoints: served,
    reasoningFamily: model.reasoning_family === undefined ? null : family(model.reasoning_family, config),
  };
}

function family(name: string, config: RouterConfig): ReasoningFamily | null {
  const own = Object.hasOwn(config.reasoning_families, name) ? config.reasoning_families[name] : undefined;
  return own ?? (Object.hasOwn(BUILT_IN_FAMILIES, name) ? BUILT_IN_FAMILIES[name] : undefined) ?? null;
}

/** A category's own name beats a label that another one maps to itself; of two claims to a label the first stands. */
function categoryTable(categories: readonly CategoryConfig[]): ReadonlyMap<string, CategoryConfig> {
  const table = new Map<string, CategoryConfig>();
  for (const category of categories) table.set(category.name.toLowerCase(), category);
  for (const category of categories) {
    for (const label of category.mmlu_categories ?? []) {
      if (!table.has(label.toLowerCase())) table.set(label.toLowerCase(), category);
    }
  }
  return table;
}

/** The first model of the first endpoint that has one, whether listed there or preferring it. */
function firstModel(config: RouterConfig, models: ReadonlyMap<string, ModelEntry>): string {
  for (const endpoint of config.vllm_endpoints) {
    const listed = endpoint.models?.[0];
    if (listed !== undefined) return listed;
    for (const entry of models.values()) if (entry.endpoints.includes(endpoint)) return entry.name;
  }
  return '';
}
