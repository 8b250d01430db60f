import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { form, KeyProof, sealedValuesIn, sendMessage, until, withClient } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Erasures } from '../../support/erasure-api.ts';
import { copyFolder, secretsIn } from '../../support/erasure-copy.ts';
import { erasedSubjects, leftOf } from '../../support/erasure-ledger.ts';
import { accepting, revive, startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';
import { idle } from '../../support/pipeline.ts';

const [ANA, BOB] = ['ok+ana@world.example', 'ok+bob@world.example'];

let own: OwnPlatform;
let saved: string;
let subjects: string[];

beforeAll(async () => {
  own = await startOwnPlatform('restore');
  saved = mkdtempSync(join(tmpdir(), 'lethe-vault-backup-'));
  for (const to of [ANA, BOB])
    if ((await send(to)) !== 200) throw new Error('the mail before the backup was not accepted');
  await idle(own);
});
afterAll(async () => {
  await own?.stop();
  rmSync(saved, { recursive: true, force: true });
});

async function send(to: string): Promise<number> {
  const fields = { from: `ann@${own.demo.domain}`, to, subject: 'Hello', text: 'Hello there' };
  const response = await sendMessage(own.platform.gateway, own.demo, form(fields));
  await response.text();
  return response.status;
}

async function arrived(to: string): Promise<number> {
  const response = await fetch(`${own.world.http}/count?to=${encodeURIComponent(to)}`);
  return ((await response.json()) as { count: number }).count;
}

/** What the vault answers a service that asks for somebody's secret by its function, past every cache. */
function askVault(subject: string): Promise<string[]> {
  return withClient(own.stores.vault.urls.ingest, async (client) => {
    const { rows } = await client.query<{ kind: string }>(
      'SELECT kind FROM vault.read_secrets($1::uuid[], $2::uuid[], $3::text[], $4::text[])',
      [[own.demo.accountId], [subject], [], []],
    );
    return rows.map(({ kind }) => kind).toSorted();
  });
}

/** How many sealed values in Kafka are about these people, and how many of them the secrets in the vault open. */
async function openable(): Promise<{ hers: number; hersOpen: number; others: number; othersOpen: number }> {
  const saved = await sealedValuesIn([own.stores.data.kafka]);
  const values = saved.filter(({ account }) => account === own.demo.accountId);
  const tried = new KeyProof(await secretsIn(own), []).values(values.filter(({ subject }) => subject !== null));
  const hers = tried.filter(({ sealed }) => subjects.includes(sealed.subject ?? ''));
  const others = tried.filter(({ sealed }) => !subjects.includes(sealed.subject ?? ''));
  const open = (some: typeof tried) => some.filter(({ plaintext }) => plaintext !== null).length;
  return { hers: hers.length, hersOpen: open(hers), others: others.length, othersOpen: open(others) };
}

describe('a vault restored from a backup that was taken before an erasure', () => {
  it('is there, and the erasure is complete', async () => {
    await own.running.vault.stop();
    await copyFolder(own.stores.data.vault, join(saved, 'data'));
    await revive(own, 'vault');
    await accepting(own);
    const { erasure, tookMs } = await new Erasures(own).erase({ subjects: [{ address: ANA }] });
    console.log(`erased after ${(tookMs / 1_000).toFixed(1)} s`);
    subjects = await erasedSubjects(own, erasure.id);
    expect(subjects).toHaveLength(1);
    expect(await leftOf(own, subjects)).toEqual({});
    const { hers, hersOpen } = await openable();
    expect([hers > 0, hersOpen]).toEqual([true, 0]);
  });

  it('answers nobody while privacy is away, and mail is refused', async () => {
    own.platform.services.privacy.kill9({ hold: true });
    await own.running.vault.stop();
    rmSync(own.stores.data.vault, { recursive: true });
    await copyFolder(join(saved, 'data'), own.stores.data.vault);
    await revive(own, 'vault');
    // The backup would open what she was sent.
    const { hers, hersOpen } = await openable();
    expect(hersOpen).toBe(hers);
    await expect(askVault(subjects[0] ?? '')).rejects.toThrow('closed');
    // What a cache held when the vault stopped is trusted for a second.
    expect(await until(async () => (await send(BOB)) === 503, 10_000)).toBe(true);
    const begin = performance.now();
    while (performance.now() - begin < 3_000) expect(await send(BOB)).toBe(503);
    await expect(askVault(subjects[0] ?? '')).rejects.toThrow('closed');
  });

  it('opens once privacy has applied the ledger, and she stays forgotten', async () => {
    own.platform.services.privacy.start();
    await accepting(own);
    const before = await arrived(BOB);
    expect(await until(async () => (await send(BOB)) === 200, 30_000, 200)).toBe(true);
    expect(await until(async () => (await arrived(BOB)) > before, 30_000)).toBe(true);
    expect(await askVault(subjects[0] ?? '')).toEqual(['account']);
    expect(await leftOf(own, subjects)).toEqual({});
    const { hers, hersOpen, others, othersOpen } = await openable();
    expect([hers > 0, hersOpen, othersOpen]).toEqual([true, 0, others]);
  });
});
