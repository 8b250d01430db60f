import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands where an OpenTelemetry collector would (OTLP/HTTP) and keeps what comes. */
export interface Collector {
  readonly url: string;
  /** Whether a measurement of `metric` came that has the label value. */
  counted(metric: string, label: string): boolean;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/metrics') bodies.push(Buffer.concat(chunks).toString('latin1'));
      response.end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    // Protocol Buffers keep texts as they are; a metric's name comes before its measurements.
    counted: (metric, label) =>
      bodies.some((body) => body.includes(metric) && body.slice(body.indexOf(metric)).includes(label)),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
