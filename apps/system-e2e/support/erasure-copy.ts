import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Service } from '@lethe/contracts';
import {
  databaseUrl,
  sealedValuesIn,
  startPostgres,
  vaultSecrets,
  withClient,
  type SealedBody,
  type SealedValue,
  type VaultSecret,
} from '@lethe/testing';
import { accepting, revive, type OwnPlatform } from './own-platform.ts';

const run = promisify(execFile);

/** What somebody has who once got hold of every file but the search index, which is never saved (design §4). */
export interface SavedStores {
  readonly values: Readonly<Record<'kafka' | 'postgres', SealedValue[]>>;
  readonly bodies: SealedBody[];
  /** Of the vault as it was. */
  readonly secrets: VaultSecret[];
}

/** Files only: owner, mode and times as they are. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]);
}

/** Copies both PostgreSQLs while they are stopped, and Kafka's folder, which only grows; answers what is in the copy. */
export async function saveStores(own: OwnPlatform, away: readonly Service[] = []): Promise<SavedStores> {
  const saved = mkdtempSync(join(tmpdir(), 'lethe-saved-'));
  try {
    for (const store of ['postgres', 'vault'] as const) {
      await own.running[store].stop();
      await copyFolder(join(own.stores.dir, store), join(saved, store));
      await revive(own, store);
    }
    await copyFolder(own.stores.data.kafka, join(saved, 'kafka'));
    await accepting(own, away);
    const { postgres, vault } = own.stores;
    return {
      values: {
        kafka: await sealedValuesIn([join(saved, 'kafka')]),
        postgres: await sealedValuesIn([join(saved, 'postgres/data')]),
      },
      bodies: await onCopy(join(saved, 'postgres'), postgres.passwords['postgres'], bodiesIn),
      secrets: await onCopy(join(saved, 'vault'), vault.passwords['postgres'], (adminUrl) => secretsIn(own, adminUrl)),
    };
  } finally {
    rmSync(saved, { recursive: true, force: true });
  }
}

/** Every secret that is in a running vault. */
export function secretsIn(own: OwnPlatform, adminUrl = own.stores.vault.adminUrl): Promise<VaultSecret[]> {
  return vaultSecrets(databaseUrl(adminUrl, 'vault'), own.platform.secrets.kekFile);
}

async function onCopy<T>(dir: string, password = '', read: (adminUrl: string) => Promise<T>): Promise<T> {
  const copy = await startPostgres({ dir, password, name: 'copy' });
  try {
    return await read(copy.adminUrl);
  } finally {
    await copy.stop();
  }
}

function bodiesIn(adminUrl: string): Promise<SealedBody[]> {
  return withClient(databaseUrl(adminUrl, 'ingest'), async (client) => {
    const { rows } = await client.query<SealedBody>(`
      SELECT message_id AS "messageId", string_agg(bytes, ''::bytea ORDER BY seq) AS octets
        FROM bodies.body GROUP BY message_id`);
    return rows;
  });
}
