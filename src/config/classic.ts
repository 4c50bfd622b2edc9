/**
 * Files of vLLM Semantic Router (2025). Keys that have no effect here are accepted, named in one warning each, and taken out before the schema
 * reads the file; older spellings that do have a meaning are rewritten to today's.
 */
import { isRecord } from '../record.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { select } from './select.ts';

/** Patterns as `select` reads them. A key that gets an effect leaves this list and enters the schema. */
export const CLASSIC_KEYS: readonly string[] = [
  'api',
  'bert_model',
  'clear_route_cache',
  'config_source',
  'context_rules',
  'decisions',
  'embedding_models',
  'embedding_rules',
  'external_models',
  'fact_check_rules',
  'feedback_detector',
  'gpu_config',
  'hallucination_mitigation',
  'keyword_rules',
  'language_rules',
  'latency_rules',
  'looper',
  'metrics',
  'model_reasoning_configs',
  'model_selection',
  'mom_registry',
  'observability',
  'preference_rules',
  'prompt_guard',
  'response_api',
  'router',
  'router_replay',
  'semantic_cache',
  'strategy',
  'tools',
  'user_feedback_rules',
  'vector_store',
  'classifier.mcp_category_model',
  'classifier.pii_model',
  'classifier.preference_model',
  'classifier.category_model.category_mapping_path',
  'classifier.category_model.fallback_category',
  'classifier.category_model.use_mmbert_32k',
  'classifier.category_model.use_modernbert',
  'categories[].jailbreak_enabled',
  'categories[].jailbreak_threshold',
  'categories[].pii_enabled',
  'categories[].pii_threshold',
  'categories[].semantic_cache_enabled',
  'categories[].semantic_cache_similarity_threshold',
  'categories[].model_scores[].lora_name',
  'model_config{}.access_key',
  'model_config{}.api_format',
  'model_config{}.batch_size',
  'model_config{}.context_size',
  'model_config{}.description',
  'model_config{}.loras',
  'model_config{}.param_count',
  'model_config{}.param_size',
  'model_config{}.quality_score',
  'model_config{}.use_reasoning',
];

/** What to do about a key instead of only removing it. */
const INSTEAD: Readonly<Record<string, string>> = {
  'classifier.category_model.category_mapping_path': 'the labels come with the model: remove it',
  'model_config{}.access_key':
    'put the name of an environment variable under api_key_env of the endpoint, and the key out of this file',
  'model_config{}.quality_score': 'use quality',
  'model_config{}.context_size': 'use context_window',
  'model_config{}.use_reasoning': 'use categories[].model_scores[].use_reasoning',
  model_reasoning_configs: 'use reasoning_families, and reasoning_family in model_config',
};

/** Names of that router's own classifiers: none of them is an ONNX model that could be loaded here. */
const CLASSIC_MODEL =
  /^$|modernbert|mmbert|mom-\w+-classifier|category_classifier_|lora_intent_classifier|^(?:sentence-transformers|LLM-Semantic-Router)\//i;

/** A plain config with the classic keys taken out and old spellings rewritten. The input is not changed. */
export function modernize(raw: unknown): { readonly value: unknown; readonly findings: readonly Finding[] } {
  const value = structuredClone(raw);
  const findings = [...CLASSIC_KEYS.flatMap((pattern) => takeOut(value, pattern)), ...replaceModel(value)];
  for (const { value: category } of select(value, 'categories[]')) if (isRecord(category)) modernizeCategory(category);
  return { value, findings };
}

function takeOut(root: unknown, pattern: string): readonly Finding[] {
  const found = select(root, pattern);
  const first = found[0];
  if (first === undefined) return [];
  for (const { path } of found) remove(root, path);
  const places =
    found.length === 1 ? '' : `, here and in ${found.length - 1} more place${found.length === 2 ? '' : 's'}`;
  return [
    {
      code: 'CONFIG_NO_EFFECT',
      path: first.path,
      at: 'key',
      message: `${pattern.replaceAll('{}', '.NAME')} has no effect yet${places}`,
      allowed: 'accepted for compatibility with vLLM Semantic Router',
      fix: INSTEAD[pattern] ?? 'remove it to silence this warning',
    },
  ];
}

function replaceModel(root: unknown): readonly Finding[] {
  const path: ConfigPath = ['classifier', 'category_model', 'model_id'];
  const given = select(root, 'classifier.category_model.model_id')[0]?.value;
  if (typeof given !== 'string' || !CLASSIC_MODEL.test(given)) return [];
  remove(root, path);
  return [
    {
      code: 'CONFIG_MODEL_REPLACED',
      path,
      message: `${JSON.stringify(given)} is a model of vLLM Semantic Router; the built-in classifier is used`,
      allowed: 'a folder under models/',
      fix: 'remove model_id to silence this warning',
    },
  ];
}

/** Reasoning settings of a category stand for its models' where those have none; scores may be a mapping from model to score. */
function modernizeCategory(category: Readonly<Record<string, unknown>>): void {
  const editable = category as Record<string, unknown>;
  const scores = category['model_scores'];
  if (isRecord(scores)) {
    editable['model_scores'] = Object.entries(scores).map(([model, score]) =>
      isRecord(score) ? { model, ...score } : { model, score },
    );
  }
  for (const key of ['use_reasoning', 'reasoning_effort', 'reasoning_description']) {
    if (!Object.hasOwn(category, key)) continue;
    for (const { value: score } of select(category, 'model_scores[]')) {
      if (isRecord(score) && !Object.hasOwn(score, key)) (score as Record<string, unknown>)[key] = category[key];
    }
    Reflect.deleteProperty(editable, key);
  }
}

function remove(root: unknown, path: ConfigPath): void {
  let holder: unknown = root;
  for (const step of path.slice(0, -1)) holder = (holder as Record<string | number, unknown>)[step];
  const last = path.at(-1);
  if (isRecord(holder) && typeof last === 'string') Reflect.deleteProperty(holder, last);
}
