import type { Attributes } from '@opentelemetry/api';

/** Label names declared with `metrics`, whose values are enumerated: all pass the export. */
const declared = new Set<string>();

/** Labels of the instrumentation libraries that say nothing about a person. */
const LIBRARY_LABELS = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'error.type',
  'db.system.name',
  'db.client.connection.pool.name',
  'db.client.connection.state',
  'messaging.system',
  'messaging.operation.name',
  'messaging.destination.name',
]);

export function declareLabels(names: Iterable<string>): void {
  for (const name of names) declared.add(name);
}

/** What is left of a measurement's labels when it leaves the process. */
export const allowedLabels = {
  process(incoming: Attributes): Attributes {
    return Object.fromEntries(
      Object.entries(incoming).filter(([name]) => declared.has(name) || LIBRARY_LABELS.has(name)),
    );
  },
};
