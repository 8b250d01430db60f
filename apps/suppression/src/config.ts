import { databaseConfig } from '@lethe/database';
import { kafkaConfig, outboxConfig } from '@lethe/kafka';
import { defineConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';

export const config = defineConfig({
  ...databaseConfig,
  ...kafkaConfig,
  ...outboxConfig,
  ...vaultConfig,
  PUBLIC_URL: z.url().describe('Base of the absolute links in answers: where clients reach the gateway'),
});
export type SuppressionConfig = z.infer<typeof config>;
