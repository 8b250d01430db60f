/**
 * Preload: `node --import @lethe/service/otel dist/main.js`. Loads nothing, and costs nothing, while
 * OTEL_EXPORTER_OTLP_ENDPOINT is not set.
 */
if (process.env['OTEL_EXPORTER_OTLP_ENDPOINT']) {
  const { startTelemetry } = await import('./start-telemetry.ts');
  startTelemetry(process.env);
}

export {};
