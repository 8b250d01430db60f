import { readFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import type { DynamicModule, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import { Clock } from '../clock/clock.ts';
import { CONFIG } from '../config/load-config.ts';
import { StartupError } from '../errors/startup-error.ts';
import { validationPipe } from '../errors/validation.ts';
import { HealthController } from '../health/health.controller.ts';
import { HealthRegistry } from '../health/health-registry.ts';
import { IdentitySigner } from '../identity/identity-signer.ts';
import { IdentityVerifier } from '../identity/identity-verifier.ts';
import { IdentityGuard } from '../identity/identity.guard.ts';
import { Log } from '../logging/log.ts';
import { ApiPartController, SERVED_MODULE } from '../openapi/api-part.controller.ts';

export interface ServiceParts {
  name: string;
  module: Type | DynamicModule;
  config: Record<string, unknown>;
  log: Log;
  clock: Clock;
}

/** Everything a service may inject without importing a module, and the service's own module. */
@Module({})
export class ServiceModule {
  static of({ name, module, config, log, clock }: ServiceParts): DynamicModule {
    const shared: Provider[] = [
      { provide: CONFIG, useValue: config },
      { provide: Log, useValue: log },
      { provide: Clock, useValue: clock },
      { provide: SERVED_MODULE, useValue: module },
      HealthRegistry,
    ];
    const identity = identityProviders(name, config, clock);
    return {
      module: ServiceModule,
      global: true,
      imports: [module] as NonNullable<ModuleMetadata['imports']>,
      // The gateway asks; it has nobody to say it to.
      controllers: [HealthController, ...(config['IDENTITY_PUBLIC_KEY_FILE'] ? [ApiPartController] : [])],
      providers: [...shared, ...identity, { provide: APP_PIPE, useFactory: validationPipe }],
      exports: [
        CONFIG,
        Log,
        Clock,
        HealthRegistry,
        SERVED_MODULE,
        ...(config['IDENTITY_PRIVATE_KEY_FILE'] ? [IdentitySigner] : []),
      ],
    };
  }
}

function identityProviders(name: string, config: Record<string, unknown>, clock: Clock): Provider[] {
  const providers: Provider[] = [];
  if (config['IDENTITY_PRIVATE_KEY_FILE']) {
    const signer = withKey(config, 'IDENTITY_PRIVATE_KEY_FILE', (pem) => new IdentitySigner(pem, clock));
    providers.push({ provide: IdentitySigner, useValue: signer });
  }
  if (config['IDENTITY_PUBLIC_KEY_FILE']) {
    const verifier = withKey(config, 'IDENTITY_PUBLIC_KEY_FILE', (pem) => new IdentityVerifier(pem, name, clock));
    providers.push({
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => new IdentityGuard(reflector, verifier),
    });
  }
  return providers;
}

function withKey<T>(config: Record<string, unknown>, variable: string, use: (pem: string) => T): T {
  try {
    return use(readFileSync(String(config[variable]), 'utf8'));
  } catch {
    throw new StartupError(`${variable} names a file that cannot be read or holds no Ed25519 key in PEM form.`);
  }
}
