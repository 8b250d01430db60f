import { HOLDERS, type PrivacyReply, type Reading } from '@lethe/contracts';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { ShownReading } from '../src/retention/reading.ts';
import type { Behaviour } from './support/fake-holders.ts';
import { Setting } from './support/setting.ts';

const WEEK = 604_800;
const MEASURE_MS = 4_000;

let setting: Setting;

beforeAll(async () => {
  setting = await new Setting(inject('stores')).open({
    RETENTION_MEASURE_MS: String(MEASURE_MS),
    RETENTION_WORK_MS: '300',
  });
  await setting.start();
});
afterAll(() => setting?.close());
beforeEach(() => setting.holders.behaviours.clear());

async function readings(): Promise<ShownReading[]> {
  const answer = await setting.call(
    { account: setting.account, scopes: ['privacy:read'] },
    'GET',
    '/v1/privacy/retention',
  );
  expect(answer.status).toBe(200);
  return answer.body.readings;
}

/** Waits for readings as wanted; answers them as they were at last. */
async function eventually(wanted: (all: ShownReading[]) => boolean): Promise<ShownReading[]> {
  let all: ShownReading[] = [];
  if (!(await until(async () => wanted((all = await readings())), 40_000, 100)))
    throw new Error(`the readings do not come: ${JSON.stringify(all)}`);
  return all;
}

const measured =
  (of: (right: Extract<PrivacyReply, { step: 'measure' }>) => PrivacyReply | null): Behaviour =>
  (_command, right) =>
    right.step === 'measure' ? of(right) : right;
const body = (more: Partial<Reading> = {}): Reading => ({
  store: 'ingest.body',
  class: 'body',
  limitSeconds: WEEK,
  oldestAt: null,
  ...more,
});
const store = (all: ShownReading[], name: string) => all.find((reading) => reading.store === name);

describe('readings', () => {
  it('are there of every store, soon after the start', async () => {
    const oldest = Date.now() - 3_600_000;
    setting.holders.behaviours.set(
      'ingest',
      measured((right) => ({
        ...right,
        readings: [body({ oldestAt: oldest }), body({ store: 'ingest.outbox', class: 'queue' })],
      })),
    );
    const all = await eventually((some) => store(some, 'ingest.body')?.ok === true && some.every(({ ok }) => ok));
    expect(store(all, 'ingest.body')).toMatchObject({
      service: 'ingest',
      class: 'body',
      limit_seconds: WEEK,
      oldest_at: new Date(oldest).toISOString(),
    });
    expect(store(all, 'ingest.body')?.age_seconds).toBeGreaterThanOrEqual(3_600);
    expect(store(all, 'ingest.outbox')).toMatchObject({ oldest_at: null, age_seconds: null, ok: true });
    const owners = (kind: string) =>
      all.filter(({ store: name }) => name.startsWith(`${kind}.`)).map(({ store: name }) => name);
    expect(owners('kafka')).toEqual(expect.arrayContaining(['kafka.mail-accepted', 'kafka.mail-events-dead-letter']));
    expect(owners('vault').length).toBeGreaterThan(0);
    // privacy measures its own as a holder, with a limit of a day.
    expect(store(all, 'privacy.idempotency')).toMatchObject({ class: 'idempotency', limit_seconds: 86_400 });
  });

  it('show what is too old', async () => {
    const old = Date.now() - (WEEK + 60) * 1_000;
    setting.holders.behaviours.set(
      'ingest',
      measured((right) => ({ ...right, readings: [body({ oldestAt: old })] })),
    );
    const all = await eventually((some) => store(some, 'ingest.body')?.ok === false);
    expect(store(all, 'ingest.body')?.age_seconds).toBeGreaterThan(WEEK);
    // A store that is measured no more is there no more.
    expect(store(all, 'ingest.outbox')).toBeUndefined();
  });

  it('are not believed of who gives itself more time, or measures what is not its own', async () => {
    setting.holders.behaviours.set(
      'ingest',
      measured((right) => ({ ...right, readings: [body()] })),
    );
    await eventually((some) => store(some, 'ingest.body')?.ok === true);
    setting.holders.behaviours.set(
      'ingest',
      measured((right) => ({ ...right, readings: [body({ limitSeconds: WEEK + 1 })] })),
    );
    setting.holders.behaviours.set(
      'delivery',
      measured((right) => ({ ...right, readings: [body({ store: 'events.index-e30' })] })),
    );
    // What was believed last grows stale, and says so.
    const all = await eventually((some) => store(some, 'ingest.body')?.ok === false);
    expect(store(all, 'ingest.body')).toMatchObject({ limit_seconds: WEEK, oldest_at: null });
    expect(store(all, 'events.index-e30')).toBeUndefined();
    const said = setting.log.filter((line) => line.includes('privacy.reply-not-believed')).join('\n');
    expect(said).toMatch(/longer-than-declared/);
    expect(said).toMatch(/not-its-store/);
  });

  it('miss who never answered', async () => {
    setting.holders.behaviours.set(
      'delivery',
      measured(() => null),
    );
    // What it said before is heard before the privacy that has forgotten it starts.
    for (let round = 0; round < 2; round += 1) {
      const [before] = await readings();
      await eventually(([first]) => first?.measured_at !== before?.measured_at);
    }
    await setting.stop();
    await setting.database.query('delete from retention_source');
    await setting.start();
    const all = await eventually((some) => some.filter(({ measured_at: at }) => at === null).length === 1);
    expect(all.filter(({ measured_at: at }) => at === null)).toEqual([
      expect.objectContaining({ store: 'delivery', service: 'delivery', limit_seconds: null, ok: false }),
    ]);
    expect(HOLDERS).toContain('delivery');
  });
});

describe('the worker', () => {
  const periods = async (condition: string) =>
    (await setting.vaultAdmin.query(`select from vault.period_secret where ${condition}`)).rowCount ?? 0;

  it('makes the secrets of this bucket and the next of every class ahead', async () => {
    expect(await until(async () => (await periods('true')) >= 14, 10_000)).toBe(true);
  });

  it('destroys a secret on its day, and takes it out of the files', async () => {
    expect(await until(async () => (await periods('true')) > 0, 10_000)).toBe(true);
    const { rows } = await setting.vaultAdmin.query<{ class: string; bucket: string }>(
      `update vault.period_secret set forget_at = now() where (class, bucket) =
         (select class, bucket from vault.period_secret order by bucket, class limit 1) returning class, bucket`,
    );
    const [{ class: name, bucket }] = rows;
    setting.log.length = 0;
    const worked = () =>
      setting.log.find((line) => line.includes('retention.forgotten') && line.includes('"periods":1'));
    expect(await until(() => worked() !== undefined, 10_000)).toBe(true);
    // Made ahead again where its time is not over: by then it is another secret.
    expect(await periods(`class = '${name}' and bucket = '${bucket}' and forget_at <= now()`)).toBe(0);
    const dirty = async () => (await setting.vaultAdmin.query('select from vault.dirty')).rowCount;
    expect(await until(async () => (await dirty()) === 0, 20_000)).toBe(true);
  });
});
