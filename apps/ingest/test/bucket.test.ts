import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBody, sealBody } from '@lethe/bodies';
import { HealthRegistry } from '@lethe/service';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { holderConformance } from '@lethe/privacy-holder/conformance';
import { startSeaweedFs, until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startWorld } from './support/holder.world.ts';
import { sent, somebody } from './support/plant.ts';
import { surroundings, type Fields, type Surroundings } from './support/surroundings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const folder = mkdtempSync(join(tmpdir(), 'lethe-bucket-'));
const server = await startSeaweedFs(folder);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

/** Of ingest, with a bucket of its own. */
const inBucket = (): Record<string, string> => ({
  BODY_STORE: 's3',
  BODIES_S3_BUCKET: `ingest-${randomBytes(6).toString('hex')}`,
  BODIES_S3_ENDPOINT: server?.endpoint ?? '',
  BODIES_S3_PATH_STYLE: 'true',
  BODIES_S3_ACCESS_KEY_ID: server?.owner.accessKeyId ?? '',
  BODIES_S3_SECRET_ACCESS_KEY: server?.owner.secretAccessKey ?? '',
});

describe.skipIf(server === null)('with bodies in a bucket', () => {
  holderConformance('ingest', () => startWorld(inBucket()));

  describe('a message', () => {
    let around: Surroundings;

    beforeAll(async () => {
      around = await surroundings(inject('stores'), {
        ...inBucket(),
        RETENTION_WORK_MS: '500',
      });
      await around.replica();
    });
    afterAll(() => around?.close());

    interface Row {
      id: string;
      accepted_at: Date;
      drop_at: Date;
    }
    const rows = async (): Promise<Row[]> =>
      (await around.database.query<Row>('select id, accepted_at, drop_at from message order by id')).rows;
    const accepted = async (fields: Fields): Promise<Row> => {
      await sent(around, fields);
      return (await rows()).at(-1) as Row;
    };
    const has = async ({ id, drop_at: dropAt }: Row): Promise<boolean> =>
      (await around.bodies.count([{ messageId: id, dropAt }])) === 1;

    it('is kept there, for six days at most, and in no row of the database', async () => {
      const { id, accepted_at: acceptedAt, drop_at: dropAt } = await accepted({ to: somebody(), text: 'In a bucket.' });
      const key = await around.vault.delivery.contentKey(id, dropAt);
      expect(openBody(key, id, await around.bodies.read(id, dropAt)).toString()).toContain('In a bucket.');
      expect(dropAt.getTime()).toBeLessThanOrEqual(acceptedAt.getTime() + 6 * DAY);
      expect(dropAt.getTime()).toBeGreaterThan(acceptedAt.getTime() + 5 * DAY);
      expect((await around.database.query('select from bodies.body')).rowCount).toBe(0);
      const shown = await around.stored(id);
      expect([shown.status, ((await shown.json()) as Record<string, string>)['body-plain']]).toEqual([
        200,
        expect.stringContaining('In a bucket.'),
      ]);
    });

    it('is accepted whole, or not at all, while the bucket is away, and one that was accepted is not lost', async () => {
      const before = await accepted({ to: somebody(), text: 'Before.' });
      const all = await rows();
      const health = around.apps[0].get(HealthRegistry);
      await server?.kill9();
      const answer = await around.send({ to: somebody() });
      expect(answer).toMatchObject({ status: 503, message: 'a store is not available: try again', retryAfter: '2' });
      expect((await around.stored(before.id)).status).toBe(503);
      expect(await rows()).toEqual(all);
      expect(await until(() => !health.readiness().ready, 30_000)).toBe(true);
      await server?.restart();
      expect(await until(() => health.readiness().ready, 60_000)).toBe(true);
      expect((await around.stored(before.id)).status).toBe(200);
      expect(await has(await accepted({ to: somebody() }))).toBe(true);
    });

    it('takes its body along when it is erased', async () => {
      const person = somebody();
      const [theirs, others] = [await accepted({ to: person }), await accepted({ to: somebody() })];
      const holder = around.apps[0].get(PersonalDataHolder, { strict: false });
      await holder.erase(around.scope(await around.subjectOf(person)));
      expect([await has(theirs), await has(others)]).toEqual([false, true]);
    });

    it('that was never committed leaves none, nor does one whose time has come', async () => {
      const stays = await accepted({ to: somebody() });
      const bodyOf = (dropAt: Date) => {
        const [messageId] = [stays.id.replace(/.{12}$/, randomBytes(6).toString('hex'))];
        return { messageId, dropAt, sealed: sealBody(Buffer.alloc(32), messageId, Buffer.from('body')) };
      };
      const orphan = bodyOf(stays.drop_at);
      const due = bodyOf(new Date(Math.floor(Date.now() / (6 * HOUR)) * 6 * HOUR));
      // Whoever put them was killed before the transaction.
      await around.bodies.prepare([orphan, due]);
      expect(await until(async () => (await around.bodies.count([due])) === 0, 30_000)).toBe(true);
      expect(await around.bodies.count([orphan]), 'it may still be committed').toBe(1);
      // Nothing is accepted meanwhile.
      await around.replica({ BODIES_S3_ORPHAN_MS: '1000' });
      expect(await until(async () => (await around.bodies.count([orphan])) === 0, 30_000)).toBe(true);
      expect(await has(stays)).toBe(true);
    }, 120_000);
  });
});
