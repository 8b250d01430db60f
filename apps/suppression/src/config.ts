import { databaseConfig } from '@lethe/database';
import { kafkaConfig, outboxConfig } from '@lethe/kafka';
import { defineConfig, publicUrlConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import type { z } from 'zod';

export const config = defineConfig({
  ...databaseConfig,
  ...kafkaConfig,
  ...outboxConfig,
  ...vaultConfig,
  ...publicUrlConfig,
});
export type SuppressionConfig = z.infer<typeof config>;
