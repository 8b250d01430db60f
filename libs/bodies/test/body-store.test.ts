import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { Stores } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dropTime, openBody, openStream, type SealedBody } from '../src/index.ts';
import { body, HOUR, idOf, keep, KEY } from './support/bodies.ts';
import { bucketServer, bucketWorld, postgresWorld, type World } from './support/worlds.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });

const bucket = await bucketServer();
afterAll(() => bucket?.close());

type Start = (stores: Stores) => Promise<World>;
const STORES: [string, Start][] = [
  ['PostgreSQL', postgresWorld],
  ...(bucket ? [['a bucket', (stores) => bucketWorld(stores, bucket.server)] satisfies [string, Start]] : []),
];

describe.each(STORES)('bodies in %s', (_, start) => {
  let world: World;

  beforeAll(async () => {
    world = await start(inject('stores'));
  });
  afterAll(() => world?.close());

  const kept = (...bodies: SealedBody[]): Promise<void> => keep(world.ingest, world.writer, bodies);
  const opened = async ({ messageId, dropAt }: SealedBody): Promise<string> =>
    openBody(KEY, messageId, await world.delivery.read(messageId, dropAt)).toString();
  const expectGone = async ({ messageId, dropAt }: SealedBody): Promise<void> => {
    await expect(world.delivery.read(messageId, dropAt)).rejects.toThrow(forgotten);
    await expect(Array.fromAsync(world.delivery.stream(messageId, dropAt))).rejects.toThrow(forgotten);
  };

  it('are there exactly if the transaction is', async () => {
    const [stays, undone] = [body(Buffer.from('stays')), body(Buffer.from('undone'))];
    await world.ingest.prepare([stays, undone]);
    await world.writer.query('begin');
    await world.ingest.insertMany(world.writer, [undone]);
    await world.writer.query('rollback');
    await world.ingest.discard([undone]);
    await world.writer.query('begin');
    await world.ingest.insertMany(world.writer, [stays]);
    await world.writer.query('commit');
    await expectGone(undone);
    expect(await opened(stays)).toBe('stays');
  });

  it('of every size are read and streamed', async () => {
    const contents = [0, 1, 1000, 1_048_520, 1_048_521, 5_000_000].map((size) => randomBytes(size));
    const bodies = contents.map((content) => body(content));
    await kept(...bodies);
    for (const [index, { messageId, dropAt }] of bodies.entries()) {
      const content = contents[index] as Buffer;
      expect(openBody(KEY, messageId, await world.delivery.read(messageId, dropAt)).equals(content)).toBe(true);
      const streamed = await Array.fromAsync(openStream(KEY, messageId, world.delivery.stream(messageId, dropAt)));
      expect(Buffer.concat(streamed).equals(content)).toBe(true);
    }
  });

  it('are read by many at the same moment', async () => {
    const bodies = Array.from({ length: 64 }, (__, index) => body(Buffer.from(`body ${index}`)));
    await kept(...bodies);
    expect(await Promise.all(bodies.map(opened))).toEqual(bodies.map((__, index) => `body ${index}`));
  });

  it('of hundreds of messages are kept at once', async () => {
    const bodies = Array.from({ length: 70 }, () => body(randomBytes(1_000_000)));
    await kept(...bodies);
    expect(await world.ingest.count(bodies)).toBe(70);
  });

  it('of several messages are shredded and counted, others stay', async () => {
    const [first, second, other] = [
      body(randomBytes(2_000_000)),
      body(Buffer.from('second'), dropTime(new Date(), 24 * HOUR)),
      body(Buffer.from('other')),
    ];
    await kept(first, second, other);
    const unknown = { messageId: randomUUIDv7(), dropAt: other.dropAt };
    expect(await world.ingest.count([first, second, unknown])).toBe(2);
    expect(await world.ingest.shredMany(world.writer, [first, second, unknown])).toBe(2);
    expect(await world.ingest.shredMany(world.writer, [first, second])).toBe(0);
    expect(await world.ingest.count([first, second, unknown])).toBe(0);
    await expectGone(first);
    await expectGone(second);
    expect(await opened(other)).toBe('other');
  });

  it('are gone once shredded, also for a stream that has begun', async () => {
    const large = body(randomBytes(3_000_000));
    await kept(large);
    const stream = world.delivery.stream(large.messageId, large.dropAt)[Symbol.asyncIterator]();
    await stream.next();
    await world.ingest.shredMany(world.writer, [large]);
    await expect(stream.next()).rejects.toThrow(forgotten);
  });

  it('past their drop time are not answered, even if nothing has dropped them yet', async () => {
    const late = body(Buffer.from('late'), dropTime(new Date(Date.now() - 6 * HOUR), 0));
    await kept(late);
    await expectGone(late);
  });

  it('past their drop time are dropped, by several at once, those of later are kept', async () => {
    const past = [1, 2, 3].map((buckets) =>
      body(Buffer.from('past'), dropTime(new Date(Date.now() - buckets * 6 * HOUR), 0)),
    );
    const stays = body(Buffer.from('stays'));
    await kept(...past, stays);
    await Promise.all([world.ingest.dropDue(), world.ingest.dropDue()]);
    expect(await world.ingest.count(past)).toBe(0);
    expect(await opened(stays)).toBe('stays');
    await world.ingest.makeAhead();
    expect(await world.ingest.dropDue(), 'nothing is made that is due').toBe(0);
  });

  it('tell when the oldest was accepted, however long it is kept', async () => {
    const acceptedAt = Date.now() - 100 * HOUR;
    const at = (ago: number, keepDays: number): SealedBody =>
      body(Buffer.from('x'), dropTime(new Date(Date.now() - ago), keepDays * 24 * HOUR), idOf(Date.now() - ago));
    const oldest = at(Date.now() - acceptedAt, 7);
    await kept(at(10 * HOUR, 1), oldest, at(0, 7), at(20 * HOUR, 2));
    expect(await world.ingest.oldest()).toEqual({ body: new Date(acceptedAt), instructed: null });
    // By an instruction: it is gone on the same day as what is younger by weeks.
    const longer = Date.now() - 400 * HOUR;
    const instructed = at(400 * HOUR, 20);
    await kept(instructed, body(Buffer.from('x'), instructed.dropAt), at(0, 30));
    expect(await world.ingest.oldest()).toEqual({ body: new Date(acceptedAt), instructed: new Date(longer) });
    expect(await opened(instructed)).toBe('x');
    expect(await world.ingest.count([instructed])).toBe(1);
  });

  it('answer whether they can be read this moment', async () => {
    expect(await world.delivery.answers()).toBe(true);
  });
});

describe('drop time', () => {
  it.each([
    ['2026-11-25T00:00:00.000Z', 168, '2026-12-01T18:00:00.000Z'],
    ['2026-11-25T00:09:59.999Z', 168, '2026-12-01T18:00:00.000Z'],
    ['2026-11-25T00:10:00.000Z', 168, '2026-12-02T00:00:00.000Z'],
    ['2026-11-25T05:59:59.999Z', 168, '2026-12-02T00:00:00.000Z'],
    ['2026-11-25T06:10:00.000Z', 168, '2026-12-02T06:00:00.000Z'],
    ['2026-11-25T23:00:00.000Z', 24, '2026-11-26T18:00:00.000Z'],
  ])('accepted at %s and kept %i hours: %s', (accepted, hours, dropAt) => {
    expect(dropTime(new Date(accepted), hours * HOUR).toISOString()).toBe(dropAt);
  });

  it('is never later than thirty days', () => {
    expect(() => dropTime(new Date(), 721 * HOUR)).toThrow('30 days at most');
  });
});
