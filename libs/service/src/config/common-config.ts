import { z } from 'zod';

const milliseconds = (limit: number) => z.coerce.number().int().min(0).max(limit);

/** Variables every service has. Times are in milliseconds, sizes in bytes. */
export const commonConfig = {
  HOST: z.string().min(1).default('127.0.0.1').describe('Address the HTTP server binds'),
  PORT: z.coerce.number().int().min(0).max(65_535).describe('TCP port of the HTTP server; 0 takes a free one'),
  TRUST_PROXY: z.stringbool().default(false).describe('Whether X-Forwarded-* headers of the peer are believed'),
  BODY_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(1_048_576)
    .describe('Largest request body a buffered route accepts, in bytes'),
  REQUEST_TIMEOUT_MS: milliseconds(3_600_000)
    .default(300_000)
    .describe('Longest time a request may take to arrive whole, in milliseconds; 0 sets no limit'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe level that is logged'),
  SHUTDOWN_DRAIN_MS: milliseconds(60_000)
    .default(250)
    .describe('Time between answering "not ready" and closing the HTTP server, so that balancers notice'),
  SHUTDOWN_GRACE_MS: milliseconds(600_000)
    .default(10_000)
    .describe('Time within which the process has stopped after SIGTERM; what is left then is cut off'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe('OTLP/HTTP collector for traces and metrics; nothing is exported without it'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Share of requests that are traced, 0 to 1'),
};

/** What a service needs that answers calls of the gateway. */
export const verifierConfig = {
  IDENTITY_PUBLIC_KEY_FILE: z
    .string()
    .min(1)
    .describe("PEM file with the gateway's Ed25519 public key, which signs internal calls"),
};

/** What the gateway needs to call services. */
export const signerConfig = {
  IDENTITY_PRIVATE_KEY_FILE: z
    .string()
    .min(1)
    .meta({ description: 'PEM file with the Ed25519 private key that signs internal calls', secret: true }),
};

/** What a service needs whose answers link to itself. */
export const publicUrlConfig = {
  PUBLIC_URL: z
    .url()
    .transform((url) => url.replace(/\/$/, ''))
    .describe('Base of the absolute links in answers: where clients reach the gateway'),
};

export type CommonConfig = z.infer<z.ZodObject<typeof commonConfig>>;
