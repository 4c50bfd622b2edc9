import type { Registry } from '../config/registry.ts';
import { failure, json, type Answer } from './answer.ts';

/** An entry of OpenAI's model list. */
interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  /** Unix seconds. Nobody created these models here: it is when the router started. */
  readonly created: number;
  readonly owned_by: string;
}

/** GET /v1/models: the aliases, the configured one first, and the models where `include_config_models_in_list` says so. */
export function listModels(registry: Registry, startedAt: Date): Answer {
  const { config, aliases, models } = registry;
  const names = new Set([config.auto_model_name, ...aliases]);
  const data = [...names].map((id) => listed(id, 'switchyard', startedAt));
  if (config.include_config_models_in_list) {
    for (const id of models.keys()) if (!names.has(id)) data.push(listed(id, 'upstream-endpoint', startedAt));
  }
  return json({ object: 'list', data });
}

/** GET /v1/models/{id}: any name that a request may ask for, listed or not. */
export function getModel(registry: Registry, id: string, startedAt: Date): Answer {
  if (registry.aliases.has(id)) return json(listed(id, 'switchyard', startedAt));
  if (registry.models.has(id)) return json(listed(id, 'upstream-endpoint', startedAt));
  return failure(
    404,
    'model_not_found',
    'No model of that name. GET /v1/models lists the names that can be asked for.',
    {
      details: { type: 'invalid_request_error', param: 'model' },
    },
  );
}

function listed(id: string, ownedBy: string, startedAt: Date): ListedModel {
  return { id, object: 'model', created: Math.floor(startedAt.getTime() / 1000), owned_by: ownedBy };
}
