import { CLASSIC_METRICS } from './metrics-classic.ts';
import { OWN_METRICS } from './metrics-own.ts';

/**
 * Every metric that we serve, in one table: metrics.ts registers from it and docs/metrics.md is generated from it. Label values are bounded:
 * models, categories and families come from the config, everything else from closed lists.
 */
export const METRICS = [...CLASSIC_METRICS, ...OWN_METRICS] as const;
