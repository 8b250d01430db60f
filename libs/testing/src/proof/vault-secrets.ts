import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { withClient } from '../stores/postgres.ts';

/** A secret as the vault keeps it, and opened. */
export interface VaultSecret {
  readonly table: string;
  /** What else its row says, as text: the ids it can be asked for by. */
  readonly ids: readonly string[];
  readonly wrapped: Buffer;
  readonly secret: Buffer;
}

const WRAPPED_OCTETS = 40;
/** RFC 3394 §2.2.3.1. */
const INITIAL_VALUE = Buffer.alloc(8, 0xa6);

/**
 * Every secret that is left in a vault, whatever its table and column: every 40 octets that the key-encryption key unwraps
 * (RFC 3394 proves by itself that it was the right one). `adminUrl`: a superuser's, in the vault's database.
 */
export function vaultSecrets(adminUrl: string, kekFile: string): Promise<VaultSecret[]> {
  const kek = Buffer.from(readFileSync(kekFile, 'utf8').trim(), 'hex');
  return withClient(adminUrl, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(`
      SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`);
    const secrets: VaultSecret[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
      for (const row of rows) secrets.push(...secretsOf(name, row, kek));
    }
    return secrets;
  });
}

function secretsOf(table: string, row: Readonly<Record<string, unknown>>, kek: Buffer): VaultSecret[] {
  const texts = Object.values(row).filter((value) => typeof value === 'string');
  // A period is asked for by its class and bucket together.
  const ids = [...texts, ...('bucket' in row ? [`${String(row['class'])}/${String(row['bucket'])}`] : [])];
  return Object.values(row).flatMap((wrapped) => {
    const secret = Buffer.isBuffer(wrapped) ? unwrapped(wrapped, kek) : null;
    return secret ? [{ table, ids, wrapped: wrapped as Buffer, secret }] : [];
  });
}

function unwrapped(wrapped: Buffer, kek: Buffer): Buffer | null {
  if (wrapped.length !== WRAPPED_OCTETS) return null;
  const decipher = createDecipheriv('id-aes256-wrap', kek, INITIAL_VALUE);
  try {
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return null;
  }
}
