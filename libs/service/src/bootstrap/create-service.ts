import 'reflect-metadata';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { Clock } from '../clock/clock.ts';
import { signerConfig, verifierConfig } from '../config/common-config.ts';
import type { CommonConfig } from '../config/common-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { ErrorFilter } from '../errors/error.filter.ts';
import { createLog } from '../logging/log.ts';
import type { Log } from '../logging/log.ts';
import { NestLog } from '../logging/framework-logs.ts';
import { httpAdapter, LONGEST_PARAMETER, observeRequests } from './http.ts';
import { refuseOtherMethods } from './other-methods.ts';
import { ServiceModule } from './service-module.ts';
import { CertificateFiles } from '../tls/certificate-files.ts';
import type { CertificateFilesOptions } from '../tls/certificate-files.ts';
import { followCertificates } from './tls.ts';

export interface ServiceOptions {
  /** Also the audience of internal calls to it, its Kafka client id and its name in telemetry. */
  name: string;
  module: Type | DynamicModule;
  /** Made by `defineConfig`. */
  config: z.ZodObject;
  /**
   * `internal` (default): every route that is not `@Public()` needs the gateway's signed identity.
   * `own`: the service authenticates by itself and signs identities; that is the gateway.
   */
  authentication?: 'internal' | 'own';
  /** `false`: bodies stay streams, the service reads them itself (large forms). Default true: JSON and urlencoded. */
  bodyParser?: boolean;
  /** Files for HTTPS, from the service's config; undefined: HTTP. Renewed files come into force by themselves. */
  tls?: (config: Record<string, unknown>) => Omit<CertificateFilesOptions, 'log'> | undefined;
  /** Prepares the server before its routes exist: content type parsers, hooks. */
  configure?: (app: NestFastifyApplication) => void | Promise<void>;
}

/** For tests: what a service would take from its surroundings. */
export interface ServiceSurroundings {
  environment?: Record<string, string | undefined>;
  log?: Log;
  clock?: Clock;
}

export interface CreatedService {
  app: NestFastifyApplication;
  config: CommonConfig;
  log: Log;
}

/** A service with all its providers made and connected, not listening yet. */
export async function createService(
  options: ServiceOptions,
  surroundings: ServiceSurroundings = {},
): Promise<CreatedService> {
  const identity = options.authentication === 'own' ? signerConfig : verifierConfig;
  const schema = options.config.extend(identity);
  const config = loadConfig(schema, surroundings.environment) as Record<string, unknown> & CommonConfig;
  const log = surroundings.log ?? createLog({ service: options.name, level: config.LOG_LEVEL });
  const module = ServiceModule.of({
    name: options.name,
    module: options.module,
    config,
    log,
    clock: surroundings.clock ?? new Clock(),
  });
  const tls = options.tls?.(config);
  const certificates = tls && new CertificateFiles({ ...tls, log });
  const app = await NestFactory.create<NestFastifyApplication>(module, httpAdapter(config, certificates?.current), {
    logger: new NestLog(log),
    abortOnError: false,
    bodyParser: options.bodyParser ?? true,
  });
  const fastify = app.getHttpAdapter().getInstance();
  observeRequests(fastify, log);
  refuseOtherMethods(fastify, LONGEST_PARAMETER);
  app.useGlobalFilters(new ErrorFilter(log));
  if (certificates) followCertificates(fastify, certificates);
  await options.configure?.(app);
  await app.init();
  return { app, config, log };
}
