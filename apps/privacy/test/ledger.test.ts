import { randomUUIDv7 } from 'node:crypto';
import { until } from '@lethe/testing';
import { ForgottenError, VaultUnavailableError } from '@lethe/vault';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Setting } from './support/setting.ts';

let setting: Setting;

beforeAll(async () => {
  setting = await new Setting(inject('stores')).open();
  await setting.start();
});
afterAll(() => setting?.close());

const fresh = (): string => `p${randomUUIDv7()}@example.net`;
const erase = async (address: string): Promise<string> => {
  const { id } = await setting.order([address]);
  await setting.reach(id, 'completed');
  expect(await until(async () => (await setting.stageOf(id)) === 'done', 10_000)).toBe(true);
  return id;
};
const stateOfVault = async (): Promise<{ position: string; open: boolean }> =>
  (await setting.vaultAdmin.query('select position, vault.opened() as open from vault.state')).rows[0];

/** Puts back what was there before an erasure, as a restored backup does; the server has not been opened since. */
async function restored(subject: string, work: () => Promise<void>): Promise<void> {
  const tables = ['subject', 'subject_name', 'subject_secret'];
  for (const table of tables) {
    await setting.vaultAdmin.query(
      `create table public.saved_${table} as select * from vault.${table} where subject_id = '${subject}'`,
    );
  }
  const { position } = await stateOfVault();
  await work();
  await setting.stop();
  await setting.vaultAdmin.query('begin');
  for (const table of tables) {
    await setting.vaultAdmin.query(`delete from vault.${table} where subject_id = $1`, [subject]);
    await setting.vaultAdmin.query(`insert into vault.${table} select * from public.saved_${table}`);
    await setting.vaultAdmin.query(`drop table public.saved_${table}`);
  }
  await setting.vaultAdmin.query('update vault.state set position = $1, opened_for = null', [position]);
  await setting.vaultAdmin.query('commit');
}

describe('a vault that comes back from a backup', () => {
  it('answers nobody until the ledger is applied to it', async () => {
    const address = fresh();
    const [subject] = await setting.vault.subjectsFor(setting.account, [address]);
    const seal = {
      account: setting.account,
      subject: subject,
      period: 'standing',
      type: 'person',
      recordId: 'r',
    } as const;
    const sealed = await setting.vault.seal(seal, { name: 'Ana' });
    await erase(fresh());
    await restored(subject, async () => void (await erase(address)));
    // The key is back, and nobody gets it.
    const expected = { account: setting.account, type: 'person', recordId: 'r' };
    const closed = async () =>
      await setting.vault.open(sealed, expected).then(
        () => false,
        (error) => error instanceof VaultUnavailableError,
      );
    expect(await until(closed, 5_000)).toBe(true);
    const secrets = async () =>
      (await setting.vaultAdmin.query('select from vault.subject_secret where subject_id = $1', [subject])).rowCount;
    expect(await secrets()).toBe(1);
    await setting.start();
    expect((await stateOfVault()).open).toBe(true);
    expect(await secrets()).toBe(0);
    const { rows } = await setting.database.query('select max(position) as head from erasure_ledger');
    expect((await stateOfVault()).position).toBe(rows[0].head);
    const forgotten = async () =>
      await setting.vault.open(sealed, expected).then(
        () => false,
        (error) => error instanceof ForgottenError,
      );
    expect(await until(forgotten, 5_000)).toBe(true);
  });

  it('has the keys of released messages again, until it is opened', async () => {
    const dropAt = new Date(Math.ceil(Date.now() / 21_600_000 + 1) * 21_600_000);
    const message = { messageId: randomUUIDv7(), dropAt };
    await setting.vault.createContentKeys([message]);
    const keys = async () =>
      (await setting.vaultAdmin.query('select * from vault.content_key where message_id = $1', [message.messageId]))
        .rows;
    const [before] = await keys();
    await setting.delivery.giveUpContentKeys([message]);
    expect(await until(async () => (await keys()).length === 0, 15_000)).toBe(true);
    await setting.stop();
    await setting.vaultAdmin.query('begin');
    await setting.vaultAdmin.query('insert into vault.content_key values ($1, $2, $3)', [
      before.drop_at,
      before.message_id,
      before.secret,
    ]);
    await setting.vaultAdmin.query('update vault.state set opened_for = null');
    await setting.vaultAdmin.query('commit');
    expect(await keys()).toHaveLength(1);
    await setting.start();
    expect((await stateOfVault()).open).toBe(true);
    expect(await keys()).toEqual([]);
  });

  it('is opened with the fences of requests that were under way', async () => {
    const address = fresh();
    const [subject] = await setting.vault.subjectsFor(setting.account, [address]);
    let id = '';
    await restored(subject, async () => {
      // Past its cut-off, and its ledger entry far away.
      setting.holders.behaviours.set('accounts', (command, right) => (command.step === 'erase' ? null : right));
      ({ id } = await setting.order([address]));
      await setting.reach(id, () => setting.holders.steps(id, 'accounts').includes('erase'));
    });
    await setting.vaultAdmin.query('delete from vault.fence where request_id = $1', [id]);
    await setting.start();
    const { rows } = await setting.vaultAdmin.query(
      `select cut_off is not null as off, exists (select from vault.subject_name n where n.subject_id = s.subject_id) as named
       from vault.subject s where subject_id = $1`,
      [subject],
    );
    expect(rows).toEqual([{ off: true, named: false }]);
    setting.holders.behaviours.clear();
    await setting.reach(id, 'completed');
    expect(await until(async () => (await setting.stageOf(id)) === 'done', 10_000)).toBe(true);
    expect((await setting.vaultAdmin.query('select from vault.fence where request_id = $1', [id])).rowCount).toBe(0);
  });

  it('is opened again while the service runs, also when only its server was started', async () => {
    await setting.vaultAdmin.query('update vault.state set opened_for = null');
    expect(await until(async () => (await stateOfVault()).open, 10_000)).toBe(true);
    await erase(fresh());
  });

  it('stays closed where the ledger was rewritten, and says so', async () => {
    await erase(fresh());
    const { rows } = await setting.database.query('select max(position) as head from erasure_ledger');
    const head = Number(rows[0].head);
    await setting.stop();
    const rewrite = async (sql: string) => {
      await setting.database.query('alter table erasure_ledger disable trigger erasure_ledger_append_only');
      await setting.database.query(sql, [head]);
      await setting.database.query('alter table erasure_ledger enable trigger erasure_ledger_append_only');
    };
    await rewrite(`update erasure_ledger set request_id = '${randomUUIDv7()}' where position = $1`);
    await setting.vaultAdmin.query('update vault.state set position = $1, opened_for = null', [head - 1]);
    setting.log.length = 0;
    await expect(setting.start({}, 4_000)).rejects.toThrow('vault closed');
    expect(setting.log.join('')).toContain('LEDGER_BROKEN');
    expect(await stateOfVault()).toEqual({ position: String(head - 1), open: false });
    const answer = await setting.call({ account: setting.account }, 'POST', '/v1/privacy/requests', {
      type: 'erasure',
      subjects: [{ address: fresh() }],
    });
    expect([answer.status, answer.type]).toEqual([503, 'application/problem+json; charset=utf-8']);
    await setting.stop();
    await rewrite('delete from erasure_ledger where position = $1');
    await setting.vaultAdmin.query('update vault.state set position = $1', [head]);
  });
});

describe('the ledger', () => {
  it('that is older than its vault goes on behind it', async () => {
    // The last entry is gone, and the vault has applied it: what a restored database of this service looks like.
    await setting.start();
    const { position } = await stateOfVault();
    const id = await erase(fresh());
    const { rows } = await setting.database.query('select position from erasure_ledger where request_id = $1', [id]);
    expect(Number(rows[0].position)).toBe(Number(position) + 1);
    expect((await stateOfVault()).position).toBe(rows[0].position);
  });

  it('is only ever added to', async () => {
    for (const statement of [
      'update erasure_ledger set at = now()',
      'delete from erasure_ledger',
      'truncate erasure_ledger',
    ]) {
      await expect(setting.database.query(statement)).rejects.toThrow('only ever added to');
    }
  });
});
