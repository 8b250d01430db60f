import { periodOf } from '@lethe/contracts';
import { createVault, KeyProof, scanForOctets, sealedValuesIn, vaultSecrets } from '@lethe/testing';
import type { SealedBody, SuiteVault, Tried } from '@lethe/testing';
import { Vault } from '@lethe/vault';
import { migrateVault } from '@lethe/vault/migrate';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dropTime, sealBody } from '../src/index.ts';

/** The proof that erasures are judged by is judged here: it opens what the platform's own libraries sealed, without them. */
let folder: string;
let kekFile: string;
let vaultDatabase: SuiteVault;
let admin: Client;
let vault: Vault;
let account: string;
let [ana, bob] = ['', ''];
const bodies: SealedBody[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-key-proof-'));
  const kek = randomBytes(32);
  kekFile = join(folder, 'kek');
  writeFileSync(kekFile, `${kek.toString('hex')}\n`);
  vaultDatabase = await createVault(inject('stores'), `k${randomBytes(4).toString('hex')}`);
  await migrateVault(vaultDatabase.ownerUrl);
  admin = new Client({ connectionString: vaultDatabase.adminUrl });
  await admin.connect();
  const [accounts, ingest] = (['accounts', 'ingest'] as const).map(
    (service) => new Vault({ url: vaultDatabase.urls[service], kek }),
  ) as [Vault, Vault];
  for (const one of [accounts, ingest]) {
    one.start();
    await one.ready();
  }
  account = randomUUID();
  await accounts.ensureAccount(account);
  await accounts.close();
  vault = ingest;
  [ana = '', bob = ''] = await vault.subjectsFor(account, ['ana@example.net', 'bob@example.net']);
  const period = periodOf('e30', Date.now());
  const seal = (subject: string, recordId: string) =>
    vault.seal({ account, subject, period, type: 'envelope', recordId }, { address: subject });
  writeFileSync(join(folder, 'a.log'), `{"a":"${await seal(ana, '1')}","b":"${await seal(bob, '2')}"}`);
  writeFileSync(join(folder, 'b.gz'), gzipSync(`x ${await seal(ana, '3')} y ${await seal(bob, '4')}`));
  const standing = { account, period: 'standing', recordId: '5' } as const;
  writeFileSync(
    join(folder, 'c'),
    [
      await vault.seal({ ...standing, subject: ana, type: 'suppression' }, { address: ana }),
      await vault.sealForAccount({ ...standing, type: 'dkim-key' }, { privateKey: 'pem' }),
    ].join('\n'),
  );
  for (const size of [10, 1_048_520, 2_500_000]) {
    const messageId = randomUUID();
    const [key] = await vault.createContentKeys([{ messageId, dropAt: dropTime(new Date()) }]);
    if (!key) throw new Error('no content key');
    bodies.push({ messageId, octets: Buffer.concat(sealBody(key, messageId, Buffer.alloc(size, 'body '))) });
  }
});
afterAll(async () => {
  await vault?.close();
  await admin?.end();
  await vaultDatabase?.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function proof() {
  const secrets = await vaultSecrets(vaultDatabase.adminUrl, kekFile);
  return { secrets, keys: new KeyProof(secrets, [randomBytes(32)]) };
}

const opened = (tried: readonly Tried<unknown>[]) => tried.map(({ plaintext }) => plaintext !== null);

describe('with the secrets of a vault', () => {
  it('everything sealed opens, wherever it lies', async () => {
    const { keys } = await proof();
    const values = await sealedValuesIn([folder]);
    expect(values.map(({ record }) => record).toSorted()).toEqual(['1', '2', '3', '4', '5', '5']);
    for (const { sealed, plaintext } of keys.values(values)) {
      expect(JSON.parse(plaintext ?? 'null')).toEqual(
        sealed.subject === null ? { privateKey: 'pem' } : { address: sealed.subject },
      );
    }
    expect(keys.bodies(bodies).map(({ plaintext }) => plaintext?.length)).toEqual([10, 1_048_520, 2_500_000]);
  });

  it('nothing of somebody whose secret is gone opens, and everything else does', async () => {
    const wrapped = (await proof()).secrets.filter(({ ids }) => ids.includes(ana)).map(({ wrapped: octets }) => octets);
    expect(wrapped).toHaveLength(1);
    await admin.query('delete from vault.subject_secret where subject_id = $1', [ana]);
    await admin.query('delete from vault.content_key where message_id = $1', [bodies[1]?.messageId]);
    const { secrets, keys } = await proof();
    const tried = keys.values(await sealedValuesIn([folder]));
    expect(opened(tried.filter(({ sealed }) => sealed.subject === ana))).toEqual([false, false, false]);
    expect(opened(tried.filter(({ sealed }) => sealed.subject !== ana))).toEqual([true, true, true]);
    expect(opened(keys.bodies(bodies))).toEqual([true, false, true]);

    writeFileSync(join(folder, 'vault-page'), Buffer.concat([randomBytes(99), wrapped[0], randomBytes(9)]));
    const left = await scanForOctets([folder], [{ name: 'secret', octets: wrapped[0] }]);
    expect(left.findings.map(({ file, variant }) => [file, variant])).toEqual([[join(folder, 'vault-page'), 'raw']]);
    expect(secrets.some(({ wrapped: octets }) => octets.equals(wrapped[0]))).toBe(false);
  });
});
