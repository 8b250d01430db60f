import type { Attributes, SpanContext } from '@opentelemetry/api';
import type { ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/**
 * What a span may carry. Not here, since they can hold or be an address: url.path, url.query,
 * url.full, client.address, server.address (webhook hosts), user_agent, db.query.text, message keys.
 */
const ATTRIBUTES = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'url.scheme',
  'network.protocol.name',
  'network.protocol.version',
  'server.port',
  'error.type',
  'db.system',
  'db.system.name',
  'db.name',
  'db.namespace',
  'db.operation.name',
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.destination.partition.id',
  'messaging.batch.message_count',
  'messaging.consumer.group.name',
]);

/** Route templates, topic names, enumerations: no space, no `@`, no percent sign. */
const TEXT = /^[A-Za-z0-9/:._*{}-]{1,200}$/;
const NAME = /^[A-Za-z0-9/:._*{} -]{1,200}$/;

/** Passes spans on with allowed attributes only, and without events' texts and status messages. */
export class RedactingExporter implements SpanExporter {
  constructor(private readonly inner: SpanExporter) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.inner.export(spans.map(redacted), done);
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.inner.forceFlush?.();
  }
}

function redacted(span: ReadableSpan): ReadableSpan {
  const parent = span.parentSpanContext;
  return {
    name: NAME.test(span.name) ? span.name : 'span',
    kind: span.kind,
    spanContext: () => withoutState(span.spanContext()),
    ...(parent ? { parentSpanContext: withoutState(parent) } : {}),
    startTime: span.startTime,
    endTime: span.endTime,
    status: { code: span.status.code },
    attributes: allowed(span.attributes),
    links: span.links.map(({ context }) => ({ context: withoutState(context) })),
    // An exception's message and stack quote what it was thrown about.
    events: [],
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount + span.events.length,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** A client may write anything into `tracestate`. */
function withoutState({ traceId, spanId, traceFlags, isRemote }: SpanContext): SpanContext {
  return { traceId, spanId, traceFlags, ...(isRemote === undefined ? {} : { isRemote }) };
}

function allowed(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name, value]) => ATTRIBUTES.has(name) && isPlain(value)),
  );
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' ? TEXT.test(value) : typeof value === 'number';
}
