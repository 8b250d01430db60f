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

/**
 * The same for as long as it takes: throws, saying what is left, only where for `patienceMs` it has not become less. What waits for
 * a retry that only others can bring to its end (a kind of "not yet" for ever) is not progress.
 */
export async function drained(own: OwnPlatform, patienceMs = 90_000): Promise<void> {
  let [least, since, quiet] = [Infinity, performance.now(), 0];
  for (;;) {
    // A store or a coordinator may not be there again yet.
    const left = await underWay(own, 0).catch(() => undefined);
    const total = left ? Object.values(left).reduce((sum, n) => sum + n, 0) : Infinity;
    if (total < least) [least, since] = [total, performance.now()];
    quiet = total === 0 ? quiet + 1 : 0;
    if (quiet >= IDLE_CHECKS) return;
    if (total > 0 && performance.now() - since > patienceMs) {
      throw new Error(`nothing has become less for ${patienceMs / 1_000} s: ${JSON.stringify(left ?? 'no answer')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function work(own: OwnPlatform, waiting: number): Promise<string[]> {
  return Object.entries(await underWay(own, waiting)).flatMap(([name, rest]) =>
    rest === 0 ? [] : `${rest} in ${name}`,
  );
}

async function underWay(own: OwnPlatform, waiting: number): Promise<Record<string, number>> {
  const outbox = await count(own, 'ingest', 'outbox');
  const deferred = (await count(own, 'delivery', 'deferred')) - waiting;
  const [accepted, events] = await Promise.all([
    lag(own, 'delivery-mail-accepted', 'mail-accepted'),
    lag(own, 'events-mail-events', 'mail-events'),
  ]);
  return { outbox, deferred, 'mail-accepted': accepted, 'mail-events': events };
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
