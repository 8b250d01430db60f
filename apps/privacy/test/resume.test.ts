import { randomUUIDv7 } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Setting } from './support/setting.ts';

let setting: Setting;

beforeAll(async () => {
  setting = await new Setting(inject('stores')).open();
});
afterAll(() => setting?.close());

const fresh = (): string => `p${randomUUIDv7()}@example.net`;
const STAGES = [
  'hold',
  'cut-off',
  'fence',
  'barrier',
  'survey',
  'erase',
  'release',
  'destroy',
  'verify',
  'certify',
  'close',
];

/** Every step does its work and then fails to write down that it did: what a kill at the worst moment looks like. */
async function trap(): Promise<{ open: (stage: string) => Promise<void> }> {
  await setting.database.query(`
    create table trap (stage text);
    create function spring() returns trigger language plpgsql as $$
    begin
      if exists (select from trap where stage = old.stage) and new.stage <> old.stage then raise exception 'trapped'; end if;
      return new;
    end $$;
    create trigger trap before update on request for each row execute function spring();`);
  await setting.database.query('insert into trap select unnest($1::text[])', [STAGES]);
  return { open: async (stage) => void (await setting.database.query('delete from trap where stage = $1', [stage])) };
}

it(
  'killed after the work of any step and before it was written down, goes on from there',
  { timeout: 300_000 },
  async () => {
    const traps = await trap();
    await setting.start();
    const address = fresh();
    const [subject] = await setting.vault.subjectsFor(setting.account, [address]);
    const { id } = await setting.order([address]);
    for (const stage of STAGES) {
      const trapped = () => setting.log.some((line) => line.includes('privacy.request-held-up') && line.includes(id));
      if (!(await until(trapped, 30_000)))
        throw new Error(`not trapped at ${stage} but at ${await setting.stageOf(id)}`);
      expect(await setting.stageOf(id)).toBe(stage);
      await setting.stop();
      setting.log.length = 0;
      await traps.open(stage);
      await setting.start();
    }
    const view = await setting.reach(id, 'completed');
    expect(view.history.map(({ state }: any) => state)).toEqual([
      'received',
      'identified',
      'executing',
      'verifying',
      'completed',
    ]);
    expect(await until(async () => (await setting.stageOf(id)) === 'done', 15_000)).toBe(true);
    const { rows } = await setting.database.query('select subjects from erasure_ledger where request_id = $1', [id]);
    expect(rows).toEqual([{ subjects: [subject] }]);
    const secrets = await setting.vaultAdmin.query('select from vault.subject_secret where subject_id = $1', [subject]);
    expect(secrets.rowCount).toBe(0);
    await setting.stop();
    await setting.database.query('drop trigger trap on request');
  },
);

it('one replica works at a time, and another goes on when it is gone', { timeout: 120_000 }, async () => {
  const first = await setting.start();
  const second = await setting.start();
  const active = () => setting.log.filter((line) => line.includes('privacy.active')).length;
  expect(await until(() => active() > 0, 10_000)).toBe(true);
  setting.holders.behaviours.set('ingest', (command, right) => (command.step === 'erase' ? null : right));
  const { id } = await setting.order([fresh()]);
  await setting.reach(id, () => setting.holders.steps(id, 'ingest').includes('erase'));
  const before = active();
  // Whoever was active is cut off from the database, and finds its way back or another takes over.
  const { rowCount } = await setting.database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'privacy-active' and datname = current_database()
       and pid in (select pid from pg_locks where locktype = 'advisory')`,
  );
  expect(rowCount).toBe(1);
  expect(await until(() => active() === before + 1, 10_000)).toBe(true);
  setting.holders.behaviours.clear();
  await setting.reach(id, 'completed');
  setting.app = second;
  await first.close();
  const { id: next } = await setting.order([fresh()]);
  await setting.reach(next, 'completed');
});
