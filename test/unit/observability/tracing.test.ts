import { afterEach, describe, expect, test } from '@jest/globals';
import { context, SpanStatusCode, trace, type Context, type Span, type SpanOptions } from '@opentelemetry/api';
import fc from 'fast-check';
import { buildRecord } from '../../../src/observability/record.ts';
import { startRouteSpan } from '../../../src/observability/tracing.ts';
import { decided, refused, signalsOf } from './fixture.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

function recordOf(outcome = decided()) {
  return buildRecord({
    requestId: 'r',
    originalModel: 'auto',
    modelIsKnown: true,
    signals: signalsOf(),
    outcome,
    policyVersion: 'v',
    routingLatencyMs: 1,
  });
}

function traceIdOf(traceparent: string): string | null {
  return startRouteSpan(new Map([['traceparent', traceparent]])).traceId;
}

describe('without an SDK', () => {
  test('the trace id of the caller is kept', () => {
    expect(traceIdOf(`00-${TRACE}-${PARENT}-01`)).toBe(TRACE);
    expect(traceIdOf(`00-${TRACE}-${PARENT}-00`)).toBe(TRACE);
    expect(traceIdOf(`cc-${TRACE}-${PARENT}-01-more`)).toBe(TRACE);
  });

  test.each([
    '',
    'garbage',
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-0x`,
  ])('a malformed parent is no parent: %s', (traceparent) => {
    expect(traceIdOf(traceparent)).toBeNull();
  });

  test('no header, any header: nothing throws', () => {
    expect(startRouteSpan(new Map()).traceId).toBeNull();
    fc.assert(
      fc.property(fc.string(), (text) => {
        const span = startRouteSpan(new Map([['traceparent', text]]));
        span.end(recordOf());
      }),
    );
  });
});

/** A provider that keeps what is done to its spans: as much of an SDK as the span needs. */
function recordSpans() {
  const spans: {
    name: string;
    parent: string | undefined;
    attributes: Record<string, unknown>;
    status?: unknown;
    ended: boolean;
  }[] = [];
  const startSpan = (name: string, _options: SpanOptions, parent: Context): Span => {
    const kept: (typeof spans)[number] = {
      name,
      parent: trace.getSpanContext(parent)?.spanId,
      attributes: {},
      ended: false,
    };
    spans.push(kept);
    const span = {
      spanContext: () => ({ traceId: TRACE, spanId: '00000000000000aa', traceFlags: 1 }),
      isRecording: () => true,
      setAttribute: (key: string, value: unknown) => {
        kept.attributes[key] = value;
        return span;
      },
      setStatus: (status: unknown) => {
        kept.status = status;
        return span;
      },
      end: () => {
        kept.ended = true;
      },
    };
    return span as unknown as Span;
  };
  const tracer = { startSpan, startActiveSpan: () => undefined };
  trace.setGlobalTracerProvider({ getTracer: () => tracer as never });
  return spans;
}

describe('with a provider', () => {
  afterEach(() => {
    trace.disable();
    context.disable();
  });

  test('the span is a child of the caller and carries the decision', () => {
    const spans = recordSpans();
    startRouteSpan(new Map([['traceparent', `00-${TRACE}-${PARENT}-01`]])).end(recordOf());
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ name: 'switchyard.route', parent: PARENT, ended: true });
    expect(spans[0]?.attributes).toMatchObject({
      'gen_ai.request.model': 'auto',
      'switchyard.selected_model': 'math-model',
      'switchyard.category': 'math',
      'switchyard.reasoning_enabled': true,
    });
    expect(Object.values(spans[0]?.attributes ?? {})).not.toContain(null);
  });

  test.each([
    [503, { code: SpanStatusCode.ERROR, message: 'no_endpoint_available' }],
    [404, undefined],
  ])('a refusal with %i has its status', (status, expected) => {
    const spans = recordSpans();
    startRouteSpan(new Map()).end(recordOf(refused(status, 'no_endpoint_available')));
    expect(spans[0]?.attributes['http.response.status_code']).toBe(status);
    expect(spans[0]?.status).toEqual(expected);
  });

  test('a request that was given up ends as an error', () => {
    const spans = recordSpans();
    startRouteSpan(new Map()).fail('cancelled');
    expect(spans[0]).toMatchObject({ ended: true, status: { code: SpanStatusCode.ERROR, message: 'cancelled' } });
  });
});
