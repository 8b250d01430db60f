import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

/**
 * W3C Trace Context without `tracestate` and without baggage: both are free text of whoever called,
 * and this one is written into Kafka headers, which nobody can erase.
 */
export class TraceparentPropagator implements TextMapPropagator {
  private readonly inner = new W3CTraceContextPropagator();

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    this.inner.inject(context, carrier, {
      set: (target, key, value) => {
        if (key === 'traceparent') setter.set(target, key, value);
      },
    });
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.inner.extract(context, carrier, {
      keys: (from) => getter.keys(from),
      get: (from, key) => (key === 'traceparent' ? getter.get(from, key) : undefined),
    });
  }

  fields(): string[] {
    return ['traceparent'];
  }
}
