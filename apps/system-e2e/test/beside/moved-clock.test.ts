import { bucketLimit, type RetentionClass } from '@lethe/contracts';
import { form, get, kafkaAdmin, movedClock, sendMessage, until } from '@lethe/testing';
import { FORGOTTEN, readKek, Vault } from '@lethe/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCollector, type Collector } from '../../support/collector.ts';
import { startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';
import { lag, query } from '../../support/pipeline.ts';
import { allWell } from '../../support/readings.ts';
import { keysLeft, replay, save, type Saved } from '../../support/saved.ts';

const DAY = 86_400_000;
/** How long the workers may take after a jump; they look every other second. */
const WORK_MS = 90_000;
const clock = movedClock();

/** All stores and services live in a time that this test moves on; what must be gone on its day is looked for afterwards. */
describe.skipIf(clock === null)('on a clock that moves on', () => {
  const time = clock ?? ({} as NonNullable<typeof clock>);
  let own: OwnPlatform;
  let collector: Collector;
  let saved: Saved;
  const delivered = 'ok+clock@world.example';
  const deferred = 'temperror+clock@world.example';

  beforeAll(async () => {
    collector = await startCollector();
    own = await startOwnPlatform('clock', {
      settings: {
        ...time.environment,
        RETRY_DELAYS: '500ms,1h',
        RETENTION_MEASURE_MS: '4000',
        RETENTION_WORK_MS: '2000',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
      stores: {
        environment: time.environment,
        settings: { kafka: { 'log.retention.check.interval.ms': '1000' } },
      },
    });
  });
  afterAll(async () => {
    await own?.stop();
    await collector?.close();
    clock?.close();
  });

  async function send(to: string[]): Promise<number> {
    const fields = {
      from: `Ann <ann@${own.demo.domain}>`,
      to,
      subject: 'Your report',
      text: 'The eagle lands at noon.',
    };
    return (await sendMessage(own.platform.gateway, own.demo, form(fields))).status;
  }

  async function events(recipient: string): Promise<{ event: string; severity?: string }[]> {
    const parameters = new URLSearchParams({ recipient, ascending: 'yes' }).toString();
    const response = await get(`${own.platform.gateway}/v3/${own.demo.domain}/events?${parameters}`, own.demo.apiKey);
    return ((await response.json()) as { items: { event: string; severity?: string }[] }).items;
  }

  const has = (recipient: string, wanted: string, ms = 60_000) =>
    until(
      async () =>
        (await events(recipient)).some(({ event, severity }) => `${event} ${severity ?? ''}`.trim() === wanted),
      ms,
      300,
    );

  /** Names of all event indices. */
  async function indices(): Promise<string[]> {
    const response = await fetch(`${own.stores.elasticsearch}/_cat/indices/lethe-events-*?format=json&h=index`);
    return ((await response.json()) as { index: string }[]).map(({ index }) => index);
  }

  const recordsIn = (topic: string) =>
    kafkaAdmin(
      own.stores.kafka.brokers,
      own.stores.kafka.admin,
    )(async (admin) =>
      (await admin.fetchTopicOffsets(topic))
        .toSorted((one, other) => one.partition - other.partition)
        .map(({ low, high }) => ({ low: Number(low), high: Number(high) })),
    );

  const periodsOf = (values: Saved['values'], ...classes: RetentionClass[]) =>
    values.filter(({ period }) => classes.some((name) => period.startsWith(`${name}/`)));

  it('mail is sent, waits, and is saved from the disks by somebody: all of it opens', async () => {
    expect(await send([delivered, 'ok+other@world.example'])).toBe(200);
    expect(await send([deferred])).toBe(200);
    expect(await has(delivered, 'delivered')).toBe(true);
    expect(await has(deferred, 'failed temporary')).toBe(true);
    saved = await save(own);
    expect(periodsOf(saved.values, 'e30').length).toBeGreaterThan(3);
    expect(saved.bodies).toHaveLength(2);
    expect(saved.events.length).toBeGreaterThan(4);
    const keys = await keysLeft(own);
    expect(keys.values(saved.values).filter(({ plaintext }) => plaintext === null)).toEqual([]);
    expect(keys.bodies(saved.bodies).every(({ plaintext }) => plaintext?.includes('The eagle lands'))).toBe(true);
    await allWell(own, time.now() - DAY, WORK_MS);
  });

  it('after seven days no body opens or is there, and no record waits to be sent', async () => {
    const accepted = await recordsIn('mail-accepted');
    expect(accepted.reduce((sum, { low, high }) => sum + high - low, 0)).toBeGreaterThan(2);
    time.forward(7 * DAY + 6 * 3_600_000);
    await allWell(own, time.now(), WORK_MS);

    const keys = await keysLeft(own);
    expect(keys.bodies(saved.bodies).map(({ plaintext }) => plaintext)).toEqual([null, null]);
    expect(keys.values(periodsOf(saved.values, 'queue')).filter(({ plaintext }) => plaintext !== null)).toEqual([]);
    const ids = saved.bodies.map(({ messageId }) => `'${messageId}'`).join(', ');
    expect(await query(own, 'ingest', `SELECT FROM bodies.body WHERE message_id IN (${ids})`)).toEqual([]);
    expect(await query(own, 'ingest', PAST_PARTITIONS)).toEqual([]);
    const left = await recordsIn('mail-accepted');
    expect(left.every(({ low }, partition) => low >= (accepted[partition]?.high ?? 0))).toBe(true);
    expect(await query(own, 'delivery', 'SELECT FROM deferred')).toEqual([]);

    // Events of a month are still there, and say what became of who waited.
    expect(keys.values(periodsOf(saved.values, 'e30')).some(({ plaintext }) => plaintext === null)).toBe(false);
    expect(await has(delivered, 'delivered')).toBe(true);
    expect(await has(deferred, 'failed permanent')).toBe(true);
  });

  it('the platform works on in its new time', async () => {
    expect(await until(async () => (await send(['ok+week@world.example'])) === 200, 30_000, 500)).toBe(true);
    expect(await has('ok+week@world.example', 'delivered')).toBe(true);
  });

  it('after thirty days no event is found, is there, or opens', async () => {
    const before = await indices();
    time.forward(23 * DAY + 3_600_000);
    await allWell(own, time.now(), WORK_MS);
    const now = time.now();
    const after = await indices();
    expect(before.filter((name) => limitOf(name) <= now).length).toBeGreaterThan(0);
    expect(after.filter((name) => limitOf(name) <= now)).toEqual([]);
    expect(await events(delivered)).toEqual([]);

    const opened = (await keysLeft(own)).values(saved.values).filter(({ plaintext }) => plaintext !== null);
    expect(opened.filter(({ sealed }) => sealed.period !== 'standing')).toEqual([]);
    // The account's own DKIM key stands until its domain is removed: the proof opens what may be opened.
    expect(opened.length).toBeGreaterThan(0);
  });

  it('the vault says that they are forgotten', async () => {
    const kek = await readKek(own.platform.secrets.kekFile);
    const vault = new Vault({ url: own.stores.vault.urls.events, kek });
    try {
      vault.start();
      await vault.ready();
      const events30 = periodsOf(saved.values, 'e30');
      const asked = events30.map(({ jwe, account, type, record: recordId }) => ({
        jwe,
        expected: { account, type: type as 'envelope', recordId },
      }));
      expect(new Set(await vault.openMany(asked))).toEqual(new Set([FORGOTTEN]));
    } finally {
      await vault.close();
    }
  });

  it('events that come late, or again, are dropped and counted', async () => {
    const before = await indices();
    await replay(own, saved.events);
    const passed = async (): Promise<boolean> => (await lag(own, 'events-mail-events', 'mail-events')) === 0;
    expect(await until(passed, 60_000, 300)).toBe(true);
    expect((await indices()).toSorted()).toEqual(before.toSorted());
    expect(await events(delivered)).toEqual([]);
    const dead = await recordsIn('mail-events-dead-letter');
    expect(dead.every(({ low, high }) => low === high)).toBe(true);
    // Measurements are handed over at the latest when the service ends.
    await own.platform.services.events.stop();
    expect(await until(() => collector.counted('events.indexed', 'past'), 10_000)).toBe(true);
  });

  it('and mail is sent as on the first day', async () => {
    expect(await until(async () => (await send(['ok+month@world.example'])) === 200, 30_000, 500)).toBe(true);
    const arrived = async () =>
      ((await (await fetch(`${own.world.http}/messages?to=ok%2Bmonth@world.example`)).json()) as unknown[]).length ===
      1;
    expect(await until(arrived, 30_000)).toBe(true);
  });
});

/** Body partitions whose time is over, by their bounds as PostgreSQL prints them. */
const PAST_PARTITIONS = `
  SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'bodies.body'::regclass
    AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz <= now()`;

/** When everything in an index has to be gone, epoch ms. */
function limitOf(index: string): number {
  const [, name = '', bucket = ''] = /^lethe-events-(\w+)-(\d{10})$/.exec(index) ?? [];
  return bucketLimit(name as RetentionClass, bucket);
}
