import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { KafkaJsInstrumentation } from '@opentelemetry/instrumentation-kafkajs';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import { commonConfig } from '../config/common-config.ts';
import { allowedLabels } from './labels.ts';
import { onStopTelemetry } from './lifecycle.ts';
import { RedactingExporter } from './redacting-exporter.ts';
import { TraceparentPropagator } from './traceparent-propagator.ts';

/** Modules whose ESM imports are intercepted; the rest loads at full speed. */
const INSTRUMENTED = ['http', 'https', 'node:http', 'node:https', 'pg', 'pg-pool', 'kafkajs'];

/** Traces and metrics over OTLP/HTTP. The exporters take their endpoint from the environment. */
export function startTelemetry(environment: Record<string, string | undefined>): void {
  // The synchronous hooks: the asynchronous ones cost a thread and some 120 MB.
  register({ include: INSTRUMENTED });
  const ratio = commonConfig.OTEL_TRACES_SAMPLER_ARG.parse(environment['OTEL_TRACES_SAMPLER_ARG']);
  const sdk = new NodeSDK({
    autoDetectResources: false,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new RedactingExporter(new OTLPTraceExporter()) })],
    metricReaders: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })],
    views: [{ instrumentName: '*', attributesProcessors: [allowedLabels] }],
    logRecordProcessors: [],
    textMapPropagator: new TraceparentPropagator(),
    ...(environment['OTEL_SERVICE_NAME'] ? { serviceName: environment['OTEL_SERVICE_NAME'] } : {}),
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: ({ url }) => url?.startsWith('/health') ?? false,
      }),
      new PgInstrumentation({ requireParentSpan: true }),
      new KafkaJsInstrumentation(),
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  });
  sdk.start();
  onStopTelemetry(() => sdk.shutdown());
}
