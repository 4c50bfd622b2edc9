import { failure, json, type Answer } from './answer.ts';
import type { ApiDependencies } from './dependencies.ts';

/** GET /health: the process is alive and its event loop turns. */
export function health(): Answer {
  return json({ status: 'healthy', service: 'switchyard' });
}

/** GET /ready: 200, or 503 that names what is not ready. */
export function ready({ readiness }: ApiDependencies): Answer {
  const all = readiness();
  const missing = all.filter((check) => !check.ready);
  const checks = all.map((check) => (check.ready ? { name: check.name, ready: true } : check));
  if (missing.length === 0) return json({ status: 'ready', checks });
  const message = missing
    .map((check) => `${check.name}${check.detail === undefined ? '' : `: ${check.detail}`}`)
    .join('; ');
  return failure(503, 'NOT_READY', `Not ready: ${message}`, { details: { checks } });
}

/** GET /info/models: the loaded classifier, where it comes from and how well it measured. */
export function modelsInfo({ model }: ApiDependencies): Answer {
  const loaded = model();
  const manifest = loaded?.manifest;
  return json({
    models:
      loaded === null || manifest === undefined
        ? []
        : [
            {
              name: manifest.name,
              type: 'intent_classification',
              loaded: true,
              version: manifest.version,
              licence: manifest.licence,
              base_encoder: manifest.base_encoder,
              categories: manifest.outputs.category.labels,
              outputs: Object.keys(manifest.outputs),
              embedding_dimension: manifest.outputs.embedding?.dims ?? null,
              max_tokens: manifest.inputs.max_tokens,
              provider: loaded.provider,
              workers: loaded.workers,
              scores: manifest.scores,
              data: manifest.data,
              sha256: manifest.files.model.sha256,
            },
          ],
    system: {
      node_version: process.version,
      architecture: process.arch,
      os: process.platform,
      memory_bytes: process.memoryUsage.rss(),
      gpu: loaded?.provider === 'cuda',
    },
  });
}

/** GET /info/classifier: the settings that decide. Prompts and addresses are left out: they are for the management routes. */
export function classifierInfo({ registry, model }: ApiDependencies): Answer {
  const { config, version, defaultModel, aliases } = registry();
  const { category_model } = config.classifier;
  return json({
    status: model() === null ? 'not_loaded' : 'loaded',
    policy_version: version,
    config: {
      model_id: category_model.model_id,
      threshold: category_model.threshold,
      use_cpu: category_model.use_cpu,
      reasoning_decision: config.reasoning_decision,
      decision_timeout_ms: config.timeouts.decision,
      failure_mode: config.failure_mode,
      default_model: defaultModel,
      aliases: [...aliases],
      categories: config.categories.map((category) => ({
        name: category.name,
        description: category.description ?? null,
        mmlu_categories: category.mmlu_categories ?? [],
        system_prompt_enabled: (category.system_prompt ?? '') !== '' && category.system_prompt_enabled !== false,
        model_scores: category.model_scores,
      })),
    },
  });
}

/** GET /metrics: Prometheus' text format. */
export async function metricsText({ metrics }: Pick<ApiDependencies, 'metrics'>): Promise<Answer> {
  const { contentType, text } = await metrics.expose();
  return { kind: 'text', status: 200, contentType, text };
}
