import { kafkaConfig } from '@lethe/kafka';
import { defineConfig } from '@lethe/service';
import { z } from 'zod';

const count = (byDefault: number) => z.coerce.number().int().positive().default(byDefault);
const origin = (byDefault: string) =>
  z
    .url({ protocol: /^https?$/ })
    .transform((url) => new URL(url).origin)
    .default(byDefault);

export const config = defineConfig({
  ...kafkaConfig,
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => new URL(url))
    .describe('Base URL clients call; absolute links in answers start with it'),
  INGEST_URL: origin('http://127.0.0.1:8082').describe('Where ingest listens'),
  ACCOUNTS_URL: origin('http://127.0.0.1:8081').describe('Where accounts listens'),
  DELIVERY_URL: origin('http://127.0.0.1:8083').describe('Where delivery listens'),
  EVENTS_URL: origin('http://127.0.0.1:8084').describe('Where events listens'),
  SUPPRESSION_URL: origin('http://127.0.0.1:8085').describe('Where suppression listens'),
  PRIVACY_URL: origin('http://127.0.0.1:8086').describe('Where privacy listens'),
  GATEWAY_TLS_CERT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file with the certificate for HTTPS and those between it and the root; without it the gateway speaks HTTP',
    ),
  GATEWAY_TLS_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'PEM file with the key of that certificate, without a password', secret: true }),
  GATEWAY_TLS_RELOAD_MS: count(10_000).describe(
    'Time between two looks at both files for a renewed certificate, in ms',
  ),
  OPERATOR_TOKEN_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .optional()
    .describe('SHA-256 (hex) of the bearer token of whoever runs the platform; without it nobody is operator'),
  MAX_BODY_BYTES: count(26_214_400 + 1_048_576).describe(
    'Largest request body by its declared length, or inflated, in bytes: a 25 MiB message and its form; services check what arrives',
  ),
  INFLATE_MAX_RATIO: count(200).describe('How many times its size a gzip body over 1 MiB may inflate to'),
  SERVICE_CONNECTIONS: count(128).describe(
    'Connections kept to each service; more than ACCOUNT_CONNECTIONS, so that no account holds all',
  ),
  SERVICE_IN_FLIGHT: count(1_024).describe('Requests under way or waiting per service; more are answered with 503'),
  ACCOUNT_CONNECTIONS: count(64).describe(
    'Connections to each service that requests of one account, its subaccounts included, hold at once; the next wait',
  ),
  ACCOUNT_IN_FLIGHT: count(512).describe(
    'Requests of one account under way or waiting per service; more are answered with 429',
  ),
  CLIENT_STALL_MS: count(30_000).describe(
    'Time a client may send nothing of a body that is waited for, or take nothing of its answer, before it is cut off, in ms',
  ),
  SERVICE_CONNECT_MS: count(2_000).describe('Time for connecting to a service, in ms'),
  SERVICE_ANSWER_MS: count(60_000).describe('Time a service may stay silent after a request is sent, in ms'),
  RATE_PER_SECOND: count(5_000).describe('Requests a second one API key may make on average'),
  RATE_BURST: count(20_000).describe('Requests one API key may make at once'),
  RATE_ACCOUNT_PER_SECOND: count(10_000).describe('Requests a second all keys of one account may make on average'),
  RATE_ACCOUNT_BURST: count(40_000).describe('Requests all keys of one account may make at once'),
  RATE_KEYS: count(100_000).describe('API keys, and accounts, whose rate is remembered at a time'),
  RECENT_SIGN_IN_MS: count(3_600_000).describe(
    'How long after signing in a session may order what is about erasing people, and make keys and users, in ms',
  ),
  FAILED_LOGINS: count(100).describe('Refused credentials of one client address a window before the answer is 429'),
  PUBLIC_REQUESTS: count(600).describe(
    'Requests of one client address a window to what needs no key before the answer is 429',
  ),
  FAILED_LOGIN_WINDOW_MS: count(60_000).describe('Length of those windows, in ms; addresses are forgotten after it'),
  FAILED_LOGIN_ADDRESSES: count(10_000).describe('Client addresses that are counted at a time'),
});
export type GatewayConfig = z.infer<typeof config>;
