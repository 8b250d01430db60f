import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { TracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { allowedLabels } from './labels.ts';
import { metrics } from './metrics.ts';
import { RedactingExporter } from './redacting-exporter.ts';
import { TraceparentPropagator } from './traceparent-propagator.ts';

const ADDRESS = 'jane.doe@example.org';

function exported(use: (provider: TracerProvider) => void): ReadableSpan[] {
  const received: ReadableSpan[] = [];
  const exporter = new RedactingExporter({
    export: (spans, done) => {
      received.push(...spans);
      done({ code: ExportResultCode.SUCCESS });
    },
    shutdown: () => Promise.resolve(),
  });
  use(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  return received;
}

describe('what a span exporter receives', () => {
  it('holds no address wherever one was put, and keeps the route template', () => {
    const spans = exported((provider) => {
      const tracer = provider.getTracer('test');
      const span = tracer.startSpan(`GET /v3/lists/${ADDRESS}`, {
        attributes: {
          'http.request.method': 'GET',
          'http.route': '/v3/lists/:address',
          'http.response.status_code': 200,
          'url.path': `/v3/lists/${ADDRESS}`,
          'url.full': `https://mail/${ADDRESS}`,
          'url.query': `to=${encodeURIComponent(ADDRESS)}`,
          'client.address': '192.0.2.1',
          'db.query.text': `SELECT '${ADDRESS}'`,
          'db.namespace': `x ${ADDRESS}`,
          'messaging.kafka.message.key': ADDRESS,
          [ADDRESS]: 1,
        },
        links: [
          {
            context: { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: TraceFlags.SAMPLED },
            attributes: { to: ADDRESS },
          },
        ],
      });
      span.recordException(new Error(`No such user ${ADDRESS}`));
      span.addEvent(ADDRESS, { to: ADDRESS });
      span.setStatus({ code: SpanStatusCode.ERROR, message: `550 ${ADDRESS}` });
      span.end();
    });
    expect(spans).toHaveLength(1);
    const { resource: _, ...span } = spans[0];
    const text = JSON.stringify({ ...span, context: span.spanContext() });
    for (const personal of [ADDRESS, 'jane', '192.0.2.1', 'example.org']) expect(text).not.toContain(personal);
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/v3/lists/:address',
      'http.response.status_code': 200,
    });
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
  });

  it('keeps names that are made of templates and enumerations', () => {
    const spans = exported((provider) => {
      for (const name of ['POST /v3/:domain/messages', 'pg.query:SELECT ingest', 'send mail-accepted']) {
        provider.getTracer('test').startSpan(name).end();
      }
    });
    expect(spans.map(({ name }) => name)).toEqual([
      'POST /v3/:domain/messages',
      'pg.query:SELECT ingest',
      'send mail-accepted',
    ]);
  });
});

it('neither reads nor writes tracestate, which is free text of the caller', () => {
  const propagator = new TraceparentPropagator();
  const carrier = {
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    tracestate: 'who=jane.doe',
  };
  const getter = {
    keys: (from: Record<string, string>) => Object.keys(from),
    get: (from: Record<string, string>, key: string) => from[key],
  };
  const context = propagator.extract(ROOT_CONTEXT, carrier, getter);
  expect(trace.getSpanContext(context)).toMatchObject({ traceId: 'a'.repeat(32) });
  expect(trace.getSpanContext(context)?.traceState?.serialize() ?? '').toBe('');
  const sent: Record<string, string> = {};
  propagator.inject(context, sent, { set: (to: Record<string, string>, key, value) => (to[key] = value) });
  expect(Object.keys(sent)).toEqual(['traceparent']);
});

it('lets declared labels out and no others', () => {
  metrics.counter('test.accepted', { outcome: ['ok', 'refused'] }).add(1, { outcome: 'ok' });
  expect(allowedLabels.process({ outcome: 'ok', 'http.route': '/x', 'server.address': 'jane.example.org' })).toEqual({
    outcome: 'ok',
    'http.route': '/x',
  });
});
