/** The Lua of the fallback filter: `failure_mode`, for requests that carry no decision of the router. */
import type { Registry } from '../config/registry.ts';
import { signalsNeeded } from '../decision/guards.ts';
import type { FallbackTarget } from './fallback.ts';
import { FALLBACK_LUA } from './fallback-lua.ts';

/** Namespace and key under which the filter says which model it chose. */
export const FALLBACK_NAMESPACE = 'switchyard.fallback';
/** The header by which the filter tells the router filter which cluster to use; clients' own is stripped. */
export const FALLBACK_HEADER = 'x-switchyard-fallback';

/** The whole script: what it needs to know of the config as tables, then the fixed part. */
export function fallbackScript(registry: Registry, targets: readonly FallbackTarget[]): string {
  const models = [...registry.models.values()].map((model) => {
    const groups = targets
      .filter((target) => target.model === model)
      .map(
        ({ cluster, weight, apiKeyEnv }) =>
          `{ cluster = ${luaString(cluster)}, weight = ${weight}${apiKeyEnv === null ? '' : `, key_env = ${luaString(apiKeyEnv)}`} }`,
      );
    return `  [${luaString(model.name)}] = { served = ${luaString(model.servedName)}, served_json = ${luaString(JSON.stringify(model.servedName))}, groups = { ${groups.join(', ')} }${isGuarded(registry, model.name) ? ', guarded = true' : ''} },`;
  });
  return [
    `local FAIL_OPEN = ${registry.config.failure_mode === 'open'}`,
    `local STRIP_AUTHORIZATION = ${!registry.config.forward_authorization}`,
    `local DEFAULT_MODEL = ${luaString(registry.defaultModel)}`,
    `local ALIASES = { ${[...registry.aliases].map((alias) => `[${luaString(alias)}] = true`).join(', ')} }`,
    'local MODELS = {',
    ...models,
    '}',
    FALLBACK_LUA,
  ].join('\n');
}

/** Whether a request for the model by its name must pass a guard, which nobody can do in the router's place. */
function isGuarded(registry: Registry, model: string): boolean {
  const { encoder, pii } = signalsNeeded(registry, model);
  return encoder || pii;
}

/** A Lua string literal; every byte that is not plain ASCII becomes a decimal escape. */
function luaString(text: string): string {
  const bytes = [...Buffer.from(text, 'utf8')].map((byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}
