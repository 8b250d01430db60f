import { z } from 'zod';
import { readKek } from './crypto/key-wrap.ts';
import type { VaultOptions } from './vault.ts';

const count = (fallback: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().positive().default(fallback);

/** Variables of a service that uses the vault: `defineConfig({ ...vaultConfig, … })`. */
export const vaultConfig = {
  VAULT_URL: z
    .string()
    .min(1)
    .meta({ description: "PostgreSQL URL of the vault, with this service's role", secret: true }),
  VAULT_KEK_FILE: z.string().min(1).describe('File with the key-encryption key: 32 raw bytes or 64 hexadecimal digits'),
  VAULT_CONNECTIONS: count(3).describe('Connections to the vault, besides the one that hears revocations'),
  VAULT_CACHED_SUBJECTS: count(20_000).describe('Subject keys kept in memory at most'),
  VAULT_CACHED_ACCOUNTS: count(2000).describe('Account keys kept in memory at most'),
  VAULT_CACHED_CONTENT_KEYS: count(2000).describe('Content keys kept in memory at most'),
  VAULT_TIMEOUT_MS: count(2000).describe('How long a call to the vault may take, in milliseconds'),
};

export type VaultConfig = z.infer<z.ZodObject<typeof vaultConfig>>;

export async function vaultOptions(config: VaultConfig): Promise<VaultOptions> {
  return {
    url: config.VAULT_URL,
    kek: await readKek(config.VAULT_KEK_FILE),
    connections: config.VAULT_CONNECTIONS,
    cachedSubjects: config.VAULT_CACHED_SUBJECTS,
    cachedAccounts: config.VAULT_CACHED_ACCOUNTS,
    cachedContentKeys: config.VAULT_CACHED_CONTENT_KEYS,
    timeoutMs: config.VAULT_TIMEOUT_MS,
  };
}
