import { randomBytes, randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { dropTime, sealBody, type BodyStore, type SealedBody } from '../../src/index.ts';

export const HOUR = 3_600_000;
export const KEY = randomBytes(32);

/** As `randomUUIDv7` makes them, at another time. */
export function idOf(at: number): string {
  const hex = at.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

export function body(content: Buffer, dropAt = dropTime(new Date()), messageId = idOf(Date.now())): SealedBody {
  return { messageId, dropAt, sealed: sealBody(KEY, messageId, content) };
}

/** As ingest does it. */
export async function keep(store: BodyStore, client: Pick<Client, 'query'>, bodies: SealedBody[]): Promise<void> {
  await store.prepare(bodies);
  await client.query('begin');
  await store.insertMany(client, bodies);
  await client.query('commit');
}
