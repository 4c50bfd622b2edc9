/**
 * Every metric that we serve, in one table: metrics.ts registers from it and docs/metrics.md is generated from it. The `llm_*` names and their
 * labels are those of vLLM Semantic Router (2025), so that its dashboards and alerts keep working; the `switchyard_*` ones are ours.
 * Label values are bounded: models, categories and families come from the config, everything else from closed lists.
 */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram, in the unit that the name ends in. */
  readonly buckets?: readonly number[];
}

/** Routing takes milliseconds: prom-client's default buckets begin at 5 ms and would put all of it into the first one. */
const FAST_SECONDS = [
  0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
] as const;
/** Model answers: from a cached short answer to minutes of reasoning. */
const ANSWER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300] as const;
const TOKENS = [0, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072] as const;
const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;

export const METRICS = [
  {
    name: 'llm_model_requests_total',
    type: 'counter',
    labels: ['model'],
    help: 'Requests sent to each model.',
  },
  {
    name: 'llm_request_errors_total',
    type: 'counter',
    labels: ['model', 'reason'],
    help: 'Requests that ended in an error: refused by the router (invalid_request, model_not_found, no_endpoint_available, …), answered with one (upstream_4xx, upstream_5xx), failed inside an answer (answer_failed) or cut on the way (answer_cut).',
  },
  {
    name: 'llm_model_routing_modifications_total',
    type: 'counter',
    labels: ['source_model', 'target_model'],
    help: 'Requests whose model was changed, from the name that the client sent to the model chosen.',
  },
  {
    name: 'llm_routing_reason_codes_total',
    type: 'counter',
    labels: ['reason_code', 'model'],
    help: 'Routing decisions by reason code and chosen model.',
  },
  {
    name: 'llm_model_routing_latency_seconds',
    type: 'histogram',
    labels: [],
    help: 'From the complete request body to the decision.',
    buckets: FAST_SECONDS,
  },
  {
    name: 'llm_model_completion_latency_seconds',
    type: 'histogram',
    labels: ['model'],
    help: 'From the request to the last byte of the answer.',
    buckets: ANSWER_SECONDS,
  },
  {
    name: 'llm_model_ttft_seconds',
    type: 'histogram',
    labels: ['model'],
    help: "Time to first token: to the first event's data of a stream, to the first byte of the body for other answers.",
    buckets: ANSWER_SECONDS,
  },
  {
    name: 'llm_model_tpot_seconds',
    type: 'histogram',
    labels: ['model'],
    help: 'Completion latency divided by completion tokens.',
    buckets: FAST_SECONDS,
  },
  {
    name: 'llm_model_tokens_total',
    type: 'counter',
    labels: ['model'],
    help: 'Prompt and completion tokens together, as the answers report them.',
  },
  {
    name: 'llm_model_prompt_tokens_total',
    type: 'counter',
    labels: ['model'],
    help: 'Prompt tokens, as the answers report them.',
  },
  {
    name: 'llm_model_completion_tokens_total',
    type: 'counter',
    labels: ['model'],
    help: 'Completion tokens, as the answers report them.',
  },
  {
    name: 'llm_prompt_tokens_per_request',
    type: 'histogram',
    labels: ['model'],
    help: 'Prompt tokens of one request.',
    buckets: TOKENS,
  },
  {
    name: 'llm_completion_tokens_per_request',
    type: 'histogram',
    labels: ['model'],
    help: 'Completion tokens of one request.',
    buckets: TOKENS,
  },
  {
    name: 'llm_model_cost_total',
    type: 'counter',
    labels: ['model', 'currency'],
    help: 'Cost of the answers, for models with pricing in the config; a model without pricing has no series.',
  },
  {
    name: 'llm_category_classifications_count',
    type: 'counter',
    labels: ['category'],
    help: 'Requests classified with a confidence at or above the threshold, by category.',
  },
  {
    name: 'llm_reasoning_decisions_total',
    type: 'counter',
    labels: ['category', 'model', 'enabled', 'effort'],
    help: 'Reasoning decisions by category, model, outcome and effort.',
  },
  {
    name: 'llm_reasoning_template_usage_total',
    type: 'counter',
    labels: ['family', 'param'],
    help: 'Times that a field of a reasoning family was written into a request.',
  },
  {
    name: 'llm_reasoning_effort_usage_total',
    type: 'counter',
    labels: ['family', 'effort'],
    help: 'Reasoning efforts asked for, by reasoning family.',
  },
  {
    name: 'llm_entropy_classification_decisions_total',
    type: 'counter',
    labels: ['uncertainty_level', 'reasoning_enabled', 'decision_reason', 'top_category'],
    help: 'Entropy-based reasoning decisions.',
  },
  {
    name: 'llm_entropy_values',
    type: 'histogram',
    labels: ['category', 'classification_type'],
    help: 'Shannon entropy of the category distribution, in bits.',
    buckets: [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4],
  },
  {
    name: 'llm_classification_confidence',
    type: 'histogram',
    labels: ['category', 'classification_method'],
    help: 'Probability of the most probable category.',
    buckets: SHARES,
  },
  {
    name: 'llm_entropy_classification_latency_seconds',
    type: 'histogram',
    labels: [],
    help: 'Classification with its entropy analysis, waiting for the encoder included.',
    buckets: FAST_SECONDS,
  },
  {
    name: 'llm_entropy_fallback_usage_total',
    type: 'counter',
    labels: ['fallback_reason', 'fallback_strategy'],
    help: 'Decisions made without the encoder, by reason and by how the reasoning was decided.',
  },
  {
    name: 'llm_classifier_latency_seconds',
    type: 'histogram',
    labels: ['classifier'],
    help: 'One classifier call, waiting included.',
    buckets: FAST_SECONDS,
  },
  {
    name: 'llm_pii_violations_total',
    type: 'counter',
    labels: ['model', 'pii_type'],
    help: 'Models ruled out because a request held personal data that they may not see.',
  },
  {
    name: 'switchyard_requests_in_flight',
    type: 'gauge',
    labels: [],
    help: 'Requests whose routing has begun and not ended.',
  },
  {
    name: 'switchyard_request_body_bytes',
    type: 'histogram',
    labels: [],
    help: 'Size of routed request bodies.',
    buckets: [256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 33554432],
  },
  {
    name: 'switchyard_degraded_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Decisions made without the encoder: no_text, deadline, queue_full, encoder_error, encoder_unavailable, unsupported_language.',
  },
  {
    name: 'switchyard_classifications_total',
    type: 'counter',
    labels: ['tier'],
    help: 'Decisions for an alias by who read the prompt: encoder, static (the table of tokens that stands in for it), none.',
  },
  {
    name: 'switchyard_failures_total',
    type: 'counter',
    labels: ['where', 'policy'],
    help: 'Failures inside the router and the policy that answered them: default_model, failure_mode.',
  },
  {
    name: 'switchyard_extproc_streams',
    type: 'gauge',
    labels: [],
    help: 'Open ext_proc streams.',
  },
  {
    name: 'switchyard_extproc_streams_total',
    type: 'counter',
    labels: ['event'],
    help: 'What happened to ext_proc streams: stream_opened, stream_cancelled, stream_failed, handler_failed, handler_timed_out, overloaded, reply_sent, message_unexpected.',
  },
  {
    name: 'switchyard_encoder_queue_depth',
    type: 'gauge',
    labels: [],
    help: 'Texts that wait for a forward pass.',
  },
  {
    name: 'switchyard_encoder_queue_wait_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time a text waited before its forward pass began.',
    buckets: FAST_SECONDS,
  },
  {
    name: 'switchyard_encoder_inference_seconds',
    type: 'histogram',
    labels: [],
    help: 'One forward pass of a batch.',
    buckets: FAST_SECONDS,
  },
  {
    name: 'switchyard_encoder_batch_size',
    type: 'histogram',
    labels: [],
    help: 'Texts that shared a forward pass.',
    buckets: [1, 2, 4, 8, 16, 32, 64],
  },
  {
    name: 'switchyard_encoder_tokens',
    type: 'histogram',
    labels: [],
    help: 'Tokens of one text that went through the encoder, special tokens included.',
    buckets: [8, 16, 32, 64, 128, 256, 512],
  },
  {
    name: 'switchyard_encoder_memo_lookups_total',
    type: 'counter',
    labels: ['result'],
    help: 'Texts answered from the memo (hit) or by a forward pass (miss).',
  },
  {
    name: 'switchyard_attempts_total',
    type: 'counter',
    labels: ['model', 'outcome'],
    help: 'Attempts at endpoints by what came of them: answered, no_answer, timeout, 5xx, 429, context_length, or escalated:CHECK.',
  },
  {
    name: 'switchyard_model_fallbacks_total',
    type: 'counter',
    labels: ['from', 'to'],
    help: 'Requests that another model than the chosen one answered.',
  },
  {
    name: 'switchyard_cascade_answers_total',
    type: 'counter',
    labels: ['route', 'result'],
    help: 'Answers of cascades by what came of their check: passed, escalated, kept (failed, with no room left in max_share), unchecked (too large, or not to be read).',
  },
  {
    name: 'switchyard_cascade_failed_checks_total',
    type: 'counter',
    labels: ['model', 'check'],
    help: 'Answers that failed a check: refusal, truncated, empty, invalid_json, low_confidence.',
  },
  {
    name: 'switchyard_cascade_escalated_share',
    type: 'gauge',
    labels: ['route'],
    help: 'Share of the route’s checked requests that was escalated, over the window.',
  },
  {
    name: 'switchyard_cascade_capped',
    type: 'gauge',
    labels: ['route'],
    help: '1 while answers of the route that failed a check are kept because max_share is reached. For an alarm.',
  },
  {
    name: 'switchyard_cascade_wasted_tokens_total',
    type: 'counter',
    labels: ['model'],
    help: 'Tokens of answers that were escalated. They are in llm_model_tokens_total too.',
  },
  {
    name: 'switchyard_cascade_wasted_cost_total',
    type: 'counter',
    labels: ['model', 'currency'],
    help: 'Cost of answers that were escalated, for models with pricing. It is in llm_model_cost_total too.',
  },
  {
    name: 'switchyard_cascade_given_after_all_total',
    type: 'counter',
    labels: ['model'],
    help: 'Escalated answers that were given after all, since every later attempt failed.',
  },
  {
    name: 'switchyard_endpoint_up',
    type: 'gauge',
    labels: ['endpoint', 'address'],
    help: '1 while the address takes requests, 0 while it is out. Absent until it was out once.',
  },
  {
    name: 'switchyard_endpoint_changes_total',
    type: 'counter',
    labels: ['endpoint', 'state', 'reason'],
    help: 'Times that an address of the endpoint went out (or out again, for longer), or came back.',
  },
  {
    name: 'switchyard_endpoint_in_flight',
    type: 'gauge',
    labels: ['endpoint', 'address'],
    help: 'Requests that this router has under way at the address.',
  },
  {
    name: 'switchyard_queue_waiting',
    type: 'gauge',
    labels: [],
    help: 'Requests that wait for room at an endpoint.',
  },
  {
    name: 'switchyard_queue_shed_total',
    type: 'counter',
    labels: [],
    help: 'Requests that were turned away because the queue was full.',
  },
  {
    name: 'switchyard_config_info',
    type: 'gauge',
    labels: ['version'],
    help: '1 for the config version in force.',
  },
  {
    name: 'switchyard_config_reloads_total',
    type: 'counter',
    labels: ['result'],
    help: 'Config changes that were applied (success) or refused (failure).',
  },
  {
    name: 'switchyard_config_last_success_timestamp_seconds',
    type: 'gauge',
    labels: [],
    help: 'Unix time of the last config that was applied.',
  },
  {
    name: 'switchyard_api_requests_total',
    type: 'counter',
    labels: ['route', 'status'],
    help: 'Requests to the HTTP API by route and status; paths that are no route count as "other".',
  },
  {
    name: 'switchyard_api_request_seconds',
    type: 'histogram',
    labels: ['route'],
    help: 'Time that an HTTP API request took.',
    buckets: [...FAST_SECONDS, 5, 30],
  },
  {
    name: 'switchyard_api_lane_waiting',
    type: 'gauge',
    labels: [],
    help: 'Texts of API requests that wait for their turn at the encoder.',
  },
] as const satisfies readonly MetricDefinition[];
