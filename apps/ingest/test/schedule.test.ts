import { mailDate } from '@lethe/mail';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { somebody } from './support/plant.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('a message for later', () => {
  let around: Surroundings;

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    await around.replica();
  });
  afterAll(() => around?.close());

  const latest = async (): Promise<{ accepted_at: Date; expires_at: Date; drop_at: Date }> => {
    const { rows } = await around.database.query('select * from message order by id desc limit 1');
    return rows[0];
  };
  const count = async (): Promise<number> =>
    Number((await around.database.query('select count(*) from message')).rows[0].count);
  const inSeconds = (ahead: number): Date => new Date(Math.floor((Date.now() + ahead) / 1_000) * 1_000);

  it.each([
    ['an RFC 2822 date', mailDate],
    ['a day of one digit', (at: Date) => mailDate(at).replace(', 0', ', ')],
    ['epoch seconds', (at: Date) => String(at.getTime() / 1_000)],
  ])('is taken with %s, and tried for a day from then on', async (_, written) => {
    const at = inSeconds(3 * DAY);
    expect(await around.send({ to: somebody(), 'o:deliverytime': written(at) })).toMatchObject({
      status: 200,
      message: 'Queued. Thank you.',
    });
    const { expires_at: expiresAt, drop_at: dropAt } = await latest();
    expect(expiresAt.getTime()).toBe(at.getTime() + DAY);
    expect(expiresAt.getTime()).toBeLessThan(dropAt.getTime());
  });

  it('goes at once where its time is over', async () => {
    expect(await around.send({ to: somebody(), 'o:deliverytime': mailDate(inSeconds(-HOUR)) })).toMatchObject({
      status: 200,
    });
    const { accepted_at: acceptedAt, expires_at: expiresAt } = await latest();
    expect(expiresAt.getTime()).toBe(acceptedAt.getTime() + DAY);
  });

  it('is refused past the latest possible time, which is named and is possible', async () => {
    const before = await count();
    const refused = await around.send({ to: somebody(), 'o:deliverytime': mailDate(inSeconds(7 * DAY)) });
    expect(refused.status).toBe(400);
    const [, named = ''] =
      /^'o:deliverytime' is too far ahead: the latest possible time is (.+ GMT)$/.exec(refused.message) ?? [];
    expect(Date.parse(named)).toBeGreaterThan(Date.now() + 5.5 * DAY);
    expect(await count()).toBe(before);

    expect(await around.send({ to: somebody(), 'o:deliverytime': named })).toMatchObject({ status: 200 });
    const { expires_at: expiresAt, drop_at: dropAt } = await latest();
    // The hour that an attempt which has begun may need.
    expect(expiresAt.getTime()).toBeLessThanOrEqual(dropAt.getTime() - HOUR);
  });

  it.each(['tomorrow', '2026-11-25T09:00:00Z', 'Wed, 31 Nov 2026 09:00:00 +0000'])('%s is no time', async (time) => {
    const answer = await around.send({ to: somebody(), 'o:deliverytime': time });
    expect(answer).toEqual({ status: 400, message: `'o:deliverytime' must be an RFC 2822 date or epoch seconds` });
  });

  it('is tried for as long as its domain says', async () => {
    await around.publishDomain({ expirySeconds: 3_600 });
    const at = inSeconds(6 * DAY);
    // A day of trying would be too long by then.
    await expect
      .poll(() => around.send({ to: somebody(), 'o:deliverytime': mailDate(at) }), { timeout: 10_000 })
      .toMatchObject({ status: 200 });
    expect((await latest()).expires_at.getTime()).toBe(at.getTime() + HOUR);
    await around.publishDomain({});
  });

  it('cannot be of a domain that keeps mail for no longer than it is tried', async () => {
    await around.publishDomain({ bodiesDays: 1, eventsDays: 1 });
    const attempt = () => around.send({ to: somebody(), 'o:deliverytime': mailDate(inSeconds(HOUR)) });
    await expect.poll(attempt, { timeout: 10_000 }).toEqual({
      status: 400,
      message: `'o:deliverytime' is not possible for this domain: it keeps mail for too short a time`,
    });
    await around.publishDomain({});
  });
});
