import { setTimeout as wait } from 'node:timers/promises';
import { Server as TlsServer } from 'node:tls';
import { HealthRegistry } from '../health/health-registry.ts';
import { StartupError } from '../errors/startup-error.ts';
import { errorFields, isUnavailable } from '../logging/error-fields.ts';
import { maskAddresses } from '../logging/mask.ts';
import { createLog } from '../logging/log.ts';
import { stopTelemetry } from '../telemetry/lifecycle.ts';
import { createService } from './create-service.ts';
import type { CreatedService, ServiceOptions } from './create-service.ts';
import { refuseDumps } from './refuse-dumps.ts';

/**
 * The whole of a service's `main.ts`. Resolves when the service listens. A failed start says plainly
 * what is wrong and exits with 1; SIGTERM and SIGINT stop the service in order within
 * SHUTDOWN_GRACE_MS.
 */
export async function startService(options: ServiceOptions): Promise<void> {
  endOnUnexpectedErrors(options.name);
  try {
    refuseDumps([...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)]);
    const service = await createService(options);
    await listen(service, options.name);
    stopOnSignals(service);
  } catch (error) {
    process.stderr.write(`${options.name} did not start. ${explain(error)}\n`);
    process.exit(1);
  }
}

async function listen({ app, config, log }: CreatedService, name: string): Promise<void> {
  const started = performance.now();
  try {
    await app.listen(config.PORT, config.HOST);
  } catch (error) {
    throw portProblem(error, config.HOST, config.PORT);
  }
  app.get(HealthRegistry).markStarted();
  const address = app.getHttpServer().address() as { port: number };
  log.info('service.listening', {
    name,
    origin: `${app.getHttpServer() instanceof TlsServer ? 'https' : 'http'}://${config.HOST}:${address.port}`,
    startMs: Math.round(started),
  });
}

function portProblem(error: unknown, host: string, port: number): unknown {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE') {
    return new StartupError(`Port ${port} on ${host} is taken. End what uses it, or set PORT.`);
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new StartupError(`Cannot listen on ${host}:${port} (${code}). Set HOST or PORT.`);
  }
  return error;
}

function stopOnSignals({ app, config, log }: CreatedService): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const cutOff = setTimeout(() => {
      log.error('service.cut-off', { graceMs: config.SHUTDOWN_GRACE_MS });
      process.exit(1);
    }, config.SHUTDOWN_GRACE_MS);
    cutOff.unref();
    log.info('service.stopping', { signal });
    app.get(HealthRegistry).markStopping();
    await wait(config.SHUTDOWN_DRAIN_MS);
    // HTTP first, then Nest's hooks: consumers stop in onModuleDestroy, producers in
    // beforeApplicationShutdown, pools in onApplicationShutdown.
    await app.getHttpAdapter().close();
    await app.close();
    await stopTelemetry();
    log.info('service.stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.error('service.stop-failed', { error });
        process.exit(1);
      });
    });
  }
}

function endOnUnexpectedErrors(service: string): void {
  const log = createLog({ service, level: 'error' });
  const end = (event: string) => (error: unknown) => {
    log.error(event, { error });
    process.exit(1);
  };
  process.on('uncaughtException', end('process.uncaught-exception'));
  process.on('unhandledRejection', end('process.unhandled-rejection'));
}

/** What an operator reads: the text of an expected error, else its kind and where it was thrown. */
function explain(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  const { name, class: kind, code, at = [] } = errorFields(error);
  if (isUnavailable(error)) {
    return `A store it needs cannot be used (${code ?? kind}${place(error)}). Start it, or check its URL.`;
  }
  // Nothing personal was read yet, and Nest's text names the provider that could not be made.
  const text = error instanceof Error ? maskAddresses(error.message) : '';
  return `${name}${code ? ` ${code}` : ''} (${kind}): ${text}\n  at ${at.join('\n  at ')}`;
}

function place(error: unknown): string {
  const { address, port } = error as { address?: string; port?: number };
  return port === undefined ? '' : ` at ${address ?? 'port'}:${port}`;
}
