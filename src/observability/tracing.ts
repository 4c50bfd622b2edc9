import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  isSpanContextValid,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import type { RoutingRecord } from './record.ts';

/** The span of one request's routing. Does nothing but carry the trace id where no OpenTelemetry SDK is registered. */
export interface RouteSpan {
  /** 32 hex digits; null when the request belongs to no trace. */
  readonly traceId: string | null;
  /** Puts the decision on the span and ends it. */
  end(record: RoutingRecord): void;
  /** Ends the span of a request that was given up (the client hung up) or failed. */
  fail(reason: string): void;
}

/** version 00 - trace id - parent id - flags, as https://www.w3.org/TR/trace-context/ defines them. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Begins the span `switchyard.route` below the caller's span. `headers` have lower-case names. */
export function startRouteSpan(headers: ReadonlyMap<string, string>): RouteSpan {
  const parent = parentContext(headers);
  const span = trace.getTracer('switchyard').startSpan('switchyard.route', { kind: SpanKind.INTERNAL }, parent);
  const context = span.spanContext();
  return {
    traceId: isSpanContextValid(context) ? context.traceId : null,
    end: (record) => {
      setAttributes(span, record);
      span.end();
    },
    fail: (reason) => {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
      span.end();
    },
  };
}

/** The caller's span as a context; the root context when there is no traceparent or a malformed one. */
function parentContext(headers: ReadonlyMap<string, string>): Context {
  const match = TRACEPARENT.exec(headers.get('traceparent') ?? '');
  if (match === null) return ROOT_CONTEXT;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  // ff is forbidden; version 00 has exactly four fields, later versions may add some.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return ROOT_CONTEXT;
  const spanContext = {
    traceId,
    spanId,
    traceFlags: parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  return isSpanContextValid(spanContext) ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

/** gen_ai.* are OpenTelemetry's names for model calls; what has no such name is ours. Null fields are left out. */
function setAttributes(span: Span, record: RoutingRecord): void {
  if (!span.isRecording()) return;
  const attributes = {
    'gen_ai.request.model': record.original_model,
    'switchyard.selected_model': record.selected_model,
    'switchyard.reason_code': record.reason_code,
    'switchyard.category': record.category,
    'switchyard.confidence': record.confidence,
    'switchyard.entropy_bits': record.entropy,
    'switchyard.entropy_level': record.entropy_level,
    'switchyard.reasoning_enabled': record.reasoning_enabled,
    'switchyard.reasoning_reason': record.reasoning_reason,
    'switchyard.endpoint': record.selected_endpoint,
    'switchyard.policy_version': record.policy_version,
    'switchyard.degraded': record.degraded ?? null,
    'switchyard.classifier_tier': record.classifier_tier,
    'switchyard.routing_latency_ms': record.routing_latency_ms,
  };
  for (const [key, value] of Object.entries(attributes)) if (value !== null) span.setAttribute(key, value);
  if (record.status !== undefined) {
    span.setAttribute('http.response.status_code', record.status);
    if (record.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: record.reason_code });
  }
}
