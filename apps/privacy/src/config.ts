import { databaseConfig } from '@lethe/database';
import { kafkaConfig } from '@lethe/kafka';
import { defineConfig, publicUrlConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

export const config = defineConfig({
  ...databaseConfig,
  ...kafkaConfig,
  ...vaultConfig,
  ...publicUrlConfig,
  BODY_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(4_194_304)
    .describe('Largest request body, in bytes; a request about 5,000 people has to fit'),
  CERTIFICATE_PRIVATE_KEY_FILE: z
    .string()
    .min(1)
    .meta({ description: 'PEM file with the Ed25519 private key that signs certificates (PKCS#8)', secret: true }),
  REQUEST_HOLD_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(1_000)
    .describe('How long a new request can still be cancelled before it begins, in milliseconds'),
  REQUEST_POLL_MS: milliseconds(500).describe('How often unfinished requests are looked at, in milliseconds'),
  REQUESTS_UNFINISHED_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000)
    .describe('Unfinished requests one account may have; one more is answered 429'),
  HOLDER_PATIENCE_MS: milliseconds(15_000).describe(
    'How long a holder may take before it is asked again, in milliseconds; grows to 60,000 with each attempt',
  ),
  FENCE_SETTLE_MS: milliseconds(1_500).describe(
    'How long after a fence every process has heard of it, in milliseconds: more than the second for which cached keys are trusted',
  ),
  RELEASE_POLL_MS: milliseconds(5_000).describe(
    'How often bodies that waited for other recipients, and those that nobody waits for any more, are looked at, in milliseconds',
  ),
  EXPUNGE_MS: milliseconds(15_000).describe(
    'How often what was destroyed for messages is brought out of the files of the vault, in milliseconds; an erasure waits for no round',
  ),
  RETENTION_MEASURE_MS: milliseconds(300_000).describe(
    'How often the oldest record of every store is measured, in milliseconds; a reading older than two rounds is not ok',
  ),
  RETENTION_WORK_MS: milliseconds(60_000).describe(
    'How often keys that are due are destroyed, and those of the time to come made, in milliseconds',
  ),
});
export type PrivacyConfig = z.infer<typeof config>;

/** Of the migrate step alone: the running service has no rights to the vault's tables. */
export const migrateConfig = z.object({
  VAULT_OWNER_URL: z
    .string()
    .min(1)
    .meta({ description: "PostgreSQL URL of the vault with its owner's role", secret: true }),
});
