import { defineConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';

export const config = defineConfig({ ...vaultConfig });
export type PrivacyConfig = z.infer<typeof config>;

/** Of the migrate step alone: the running service has no rights to the vault's tables. */
export const migrateConfig = z.object({
  VAULT_OWNER_URL: z
    .string()
    .min(1)
    .meta({ description: "PostgreSQL URL of the vault with its owner's role", secret: true }),
});
