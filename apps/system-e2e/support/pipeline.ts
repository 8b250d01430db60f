import { kafkaAdmin, until } from '@lethe/testing';
import pg from 'pg';
import type { OwnPlatform } from './own-platform.ts';

const IDLE_CHECKS = 3;

/**
 * Waits until nothing is under way from the commit to the search index: no outbox row, no deferred row but `waiting` ones, and
 * every group has committed all of its topic. Throws, saying what is left, if that does not come in time.
 */
export async function idle(own: OwnPlatform, deadlineMs = 60_000, waiting = 0): Promise<void> {
  let left = 'nothing was asked yet';
  let quiet = 0;
  const check = async (): Promise<boolean> => {
    left = (await work(own, waiting)).join(', ');
    quiet = left === '' ? quiet + 1 : 0;
    // Between two steps a message is nowhere for a moment.
    return quiet >= IDLE_CHECKS;
  };
  if (!(await until(check, deadlineMs, 200))) throw new Error(`not idle after ${deadlineMs / 1_000} s: ${left}`);
}

async function work(own: OwnPlatform, waiting: number): Promise<string[]> {
  const outbox = await count(own, 'ingest', 'outbox');
  const deferred = (await count(own, 'delivery', 'deferred')) - waiting;
  const groups = await Promise.all([
    lag(own, 'delivery-mail-accepted', 'mail-accepted'),
    lag(own, 'events-mail-events', 'mail-events'),
  ]);
  return Object.entries({ outbox, deferred, 'mail-accepted': groups[0], 'mail-events': groups[1] }).flatMap(
    ([name, rest]) => (rest === 0 ? [] : `${rest} in ${name}`),
  );
}

/** Records of a topic that a group has not committed yet. */
export async function lag(own: OwnPlatform, groupId: string, topic: string): Promise<number> {
  const { brokers, admin } = own.stores.kafka;
  return kafkaAdmin(
    brokers,
    admin,
  )(async (client) => {
    const ends = await client.fetchTopicOffsets(topic);
    const [committed] = await client.fetchOffsets({ groupId, topics: [topic] });
    return ends.reduce((sum, { partition, high, low }) => {
      const at = Number(committed?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
      return sum + Number(high) - Math.max(at, Number(low));
    }, 0);
  });
}

/** Rows of one table of a service's database. */
export async function count(own: OwnPlatform, service: 'ingest' | 'delivery', table: string): Promise<number> {
  const rows = await query(own, service, `SELECT count(*)::int AS n FROM ${table}`);
  return Number(rows[0]?.['n']);
}

export async function query(
  own: OwnPlatform,
  service: 'ingest' | 'delivery',
  text: string,
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: own.stores.postgres.urls[service], connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
