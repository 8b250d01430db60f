import { join } from 'node:path';
import { SERVICES, type Service } from '@lethe/contracts';
import type { Stores } from '../stores/stores.ts';
import type { PlatformSecrets } from './secrets.ts';
import type { Command } from './supervised.ts';

export interface WorldAddresses {
  readonly http: string;
  readonly dns: { readonly host: string; readonly port: number };
  readonly smtp: { readonly host: string; readonly port: number };
  readonly domain: string;
}

export interface ServiceSettings {
  readonly repository: string;
  /** Parent of `logs/`. */
  readonly dir: string;
  readonly stores: Stores;
  readonly secrets: PlatformSecrets;
  readonly world: WorldAddresses;
  readonly ports: Readonly<Record<Service, number>>;
  /** Settings passed through, by variable name; they win. */
  readonly settings: Readonly<Record<string, string>>;
  /** Without it mail is taken by HTTP alone. */
  readonly submission?: Submission | undefined;
}

/** Where mail is taken by SMTP. */
export interface Submission {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM files. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

const NODE_FLAGS = ['--max-semi-space-size=16'];

/** Compiled code is kept for the next start: a fourth of what a start takes. Goes with what was installed. */
export const compileCache = (repository: string): Record<string, string> => ({
  NODE_COMPILE_CACHE: join(repository, 'node_modules/.cache/lethe-compiled'),
});

/** How each service is started on this machine: what compose and Kubernetes say in their own files. */
export function serviceCommands(options: ServiceSettings): Command[] {
  return SERVICES.map((service): Command => {
    const app = join(options.repository, 'apps', service);
    return {
      name: service,
      args: [...NODE_FLAGS, '--import', '@lethe/service/otel', 'dist/main.js'],
      cwd: app,
      env: { ...serviceEnvironment(service, options), ...compileCache(options.repository) },
      logFile: join(options.dir, 'logs', `${service}.log`),
      readyUrl: `http://127.0.0.1:${options.ports[service]}/health/ready`,
    };
  });
}

/** Variables of one service: nothing of the surrounding environment but what finding programs needs. */
export function serviceEnvironment(service: Service, options: ServiceSettings): Record<string, string> {
  const { stores, secrets, ports, settings } = options;
  const url = (other: Service) => `http://127.0.0.1:${ports[other]}`;
  const kafka = stores.kafka.users[service];
  const common: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'production',
    OTEL_SERVICE_NAME: service,
    KAFKAJS_NO_PARTITIONER_WARNING: '1',
    HOST: '127.0.0.1',
    PORT: String(ports[service]),
    PUBLIC_URL: url('gateway'),
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: kafka.username,
    KAFKA_PASSWORD: kafka.password,
  };
  if (service === 'gateway') {
    return {
      ...common,
      IDENTITY_PRIVATE_KEY_FILE: secrets.identityPrivateKeyFile,
      OPERATOR_TOKEN_SHA256: secrets.operatorTokenSha256,
      ACCOUNTS_URL: url('accounts'),
      INGEST_URL: url('ingest'),
      DELIVERY_URL: url('delivery'),
      EVENTS_URL: url('events'),
      SUPPRESSION_URL: url('suppression'),
      PRIVACY_URL: url('privacy'),
      ...settings,
    };
  }
  const own: Partial<Record<Service, Record<string, string>>> = {
    accounts: {
      DOMAIN_VERIFICATION: 'off',
      DNS_SERVERS: `${options.world.dns.host}:${options.world.dns.port}`,
    },
    ingest: {
      BODIES_URL: stores.postgres.bodies.ingest,
      DESTINATION_KEY: secrets.destinationKey,
      ...(options.submission ? submissionVariables(options.submission) : {}),
    },
    delivery: {
      BODIES_URL: stores.postgres.bodies.delivery,
      OUTBOUND_ROUTE: 'mx',
      OUTBOUND_ALLOW: 'loopback',
      DNS_SERVERS: `${options.world.dns.host}:${options.world.dns.port}`,
      SMTP_PORT: String(options.world.smtp.port),
      EHLO_NAME: 'lethe.localhost',
    },
    events: { ELASTICSEARCH_URL: stores.elasticsearch },
    privacy: { CERTIFICATE_PRIVATE_KEY_FILE: secrets.certificatePrivateKeyFile },
  };
  return {
    ...common,
    IDENTITY_PUBLIC_KEY_FILE: secrets.identityPublicKeyFile,
    DATABASE_URL: stores.postgres.urls[service],
    VAULT_URL: stores.vault.urls[service],
    VAULT_KEK_FILE: secrets.kekFile,
    ...own[service],
    ...settings,
  };
}

const submissionVariables = ({ port, tlsPort, certificateFile, keyFile }: Submission): Record<string, string> => ({
  SMTP_PORT: String(port),
  SMTP_TLS_PORT: String(tlsPort),
  SMTP_TLS_CERT_FILE: certificateFile,
  SMTP_TLS_KEY_FILE: keyFile,
  SMTP_NAME: 'lethe.localhost',
});
