import { kafkaConfig } from '@lethe/kafka';
import { searchConfig } from '@lethe/search';
import { defineConfig, publicUrlConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';

const positive = z.coerce.number().int().positive();

export const eventsConfig = defineConfig({
  ...kafkaConfig,
  ...vaultConfig,
  ...searchConfig,
  ...publicUrlConfig,
  INDEX_REFRESH_MS: positive.default(200).describe('How often new events become searchable, in milliseconds'),
  INDEX_REPLICAS: z.coerce.number().int().min(0).default(0).describe('Copies of each index besides the first'),
  RETENTION_WORK_MS: positive
    .default(60_000)
    .describe('How often indices past their limit are looked for and deleted, in milliseconds'),
  RETENTION_SHORTENED_MS: positive
    .max(24 * 3_600_000)
    .default(3_600_000)
    .describe('How often events are looked for that are older than their domain keeps them now, in milliseconds'),
});
export type EventsConfig = z.infer<typeof eventsConfig>;
