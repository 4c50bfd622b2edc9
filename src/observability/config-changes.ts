/** What is logged and counted when the config changes, or is refused. */
import { formatProblem } from '../config/problem.ts';
import type { Registry } from '../config/registry.ts';
import type { StoreEvent } from '../config/store.ts';
import { logConfigReloaded, logConfigReloadFailed } from './events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** One change of the store, applied or refused. */
export function tellConfigChange(event: StoreEvent, log: Log, metrics: Metrics): void {
  const source = event.source === 'api' ? ('api' as const) : ('file' as const);
  if (event.kind === 'config_reload_failed') {
    metrics.inc('switchyard_config_reloads_total', { result: 'failure' });
    logConfigReloadFailed(log, { version: event.current.version, problems: event.problems.map(formatProblem), source });
    return;
  }
  metrics.inc('switchyard_config_reloads_total', { result: 'success' });
  for (const warning of event.warnings) log.warn({ event: 'config_warning' }, formatProblem(warning));
  logConfigReloaded(log, { version: event.registry.version, previousVersion: event.previous.version, source });
  showConfig(metrics, event.registry);
}

/** The version in force, as metrics. */
export function showConfig(metrics: Metrics, registry: Registry): void {
  metrics.clear('switchyard_config_info');
  metrics.set('switchyard_config_info', 1, { version: registry.version });
  metrics.set('switchyard_config_last_success_timestamp_seconds', Date.now() / 1000);
}
