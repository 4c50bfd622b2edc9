import type { CategoryConfig, RouterConfig } from '../config/schema.ts';
import { failure, json, type Answer } from './answer.ts';
import type { SystemPromptsBody } from './bodies.ts';
import type { ApiDependencies } from './dependencies.ts';

/** GET /config/system-prompts: every category with its prompt, whether it is used, and how. */
export function listSystemPrompts(dependencies: ApiDependencies): Answer {
  const { config, version } = dependencies.registry();
  return json({ system_prompts: config.categories.map(describe), policy_version: version });
}

/**
 * PUT /config/system-prompts: changes `enabled` or `mode` of one category's prompt, or of all. The change is a new config version; it lasts
 * until the config file changes or the process ends, since the file stays the source of truth.
 */
export async function updateSystemPrompts(change: SystemPromptsBody, dependencies: ApiDependencies): Promise<Answer> {
  const changed = changePrompts(dependencies.registry().config, change);
  if (changed.kind === 'refused') return changed.answer;
  const outcome = await dependencies.activate(changed.config);
  if (outcome.kind === 'refused') return failure(400, 'CONFIG_REFUSED', outcome.problems.slice(0, 5).join('\n'));
  return listSystemPrompts(dependencies);
}

function describe(category: CategoryConfig) {
  return {
    category: category.name,
    prompt: category.system_prompt ?? '',
    enabled: hasPrompt(category) && category.system_prompt_enabled !== false,
    mode: category.system_prompt_mode,
  };
}

function hasPrompt(category: CategoryConfig): boolean {
  return (category.system_prompt ?? '') !== '';
}

type Changed =
  { readonly kind: 'changed'; readonly config: RouterConfig } | { readonly kind: 'refused'; readonly answer: Answer };

/** The config with the change applied; category names compare case-insensitively. */
export function changePrompts(config: RouterConfig, change: SystemPromptsBody): Changed {
  const wanted = change.category?.toLowerCase();
  const matches = config.categories.filter(
    (category) => wanted === undefined || category.name.toLowerCase() === wanted,
  );
  if (wanted !== undefined && matches.length === 0) {
    return refused(404, 'CATEGORY_NOT_FOUND', 'category: the config has no category of that name.');
  }
  const targets = new Set(matches.filter(hasPrompt));
  if (targets.size === 0) {
    const who = wanted === undefined ? 'No category has' : 'This category has no';
    return refused(400, 'INVALID_INPUT', `${who} system prompt${wanted === undefined ? '' : ' in the config'}.`);
  }
  const categories = config.categories.map((category) =>
    targets.has(category)
      ? {
          ...category,
          ...(change.enabled === undefined ? {} : { system_prompt_enabled: change.enabled }),
          ...(change.mode === undefined ? {} : { system_prompt_mode: change.mode }),
        }
      : category,
  );
  return { kind: 'changed', config: { ...config, categories } };
}

function refused(status: number, code: 'CATEGORY_NOT_FOUND' | 'INVALID_INPUT', message: string): Changed {
  return { kind: 'refused', answer: failure(status, code, message) };
}
