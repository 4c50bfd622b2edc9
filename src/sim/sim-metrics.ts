/** What a simulated endpoint says of its load. */
export interface SimLoad {
  /** Requests that are being computed. */
  readonly running: number;
  /** Requests that wait for room. */
  readonly waiting: number;
  /** Share of the KV cache in use, 0..1. */
  readonly cacheUsage: number;
}

/** vLLM's gauges in Prometheus' text form; the cache gauge under its old and its new name. */
export function metricsText(model: string, load: SimLoad): string {
  const label = `{model_name="${model.replace(/[\\"\n]/g, '_')}"}`;
  const gauge = (name: string, value: number): string => `# TYPE ${name} gauge\n${name}${label} ${value}\n`;
  return [
    gauge('vllm:num_requests_running', load.running),
    gauge('vllm:num_requests_waiting', load.waiting),
    gauge('vllm:gpu_cache_usage_perc', load.cacheUsage),
    gauge('vllm:kv_cache_usage_perc', load.cacheUsage),
  ].join('');
}
