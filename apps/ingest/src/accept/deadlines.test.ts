import { bucketLimit, bucketOf } from '@lethe/contracts';
import { describe, expect, it } from 'vitest';
import { deadlines } from './deadlines.ts';

const DAY = 86_400_000;

describe('deadlines', () => {
  const instants = Array.from({ length: 48 }, (_, hour) => Date.UTC(2026, 10, 25) + hour * 1_800_000 + 17);
  const settings = [0, 1, 3, 7].flatMap((bodiesDays) =>
    [1, 3, 7, 14, 30].map((eventsDays) => ({ bodiesDays, eventsDays })),
  );

  it.each(settings)(
    '%j: bodies go within their limit, and nothing is tried after them or after the envelope',
    (limits) => {
      for (const acceptedAt of instants) {
        const { eventClass, dropAt, expiresAt } = deadlines(limits, acceptedAt, 5 * DAY);
        expect(eventClass).toBe(`e${limits.eventsDays}`);
        expect(dropAt.getTime()).toBeLessThanOrEqual(acceptedAt + Math.max(1, limits.bodiesDays) * DAY);
        expect(expiresAt).toBeLessThan(dropAt.getTime());
        expect(expiresAt).toBeLessThan(bucketLimit(eventClass, bucketOf(eventClass, acceptedAt)));
        expect(expiresAt).toBeGreaterThan(acceptedAt + 12 * 3_600_000);
      }
    },
  );

  it('ends with the configured expiry where that is earlier', () => {
    const at = Date.UTC(2026, 10, 25, 9);
    expect(deadlines({ bodiesDays: 7, eventsDays: 30 }, at, DAY).expiresAt).toBe(at + DAY);
  });

  it('ends as the domain says, where it says something, and never past the body', () => {
    const at = Date.UTC(2026, 10, 25, 9);
    const ends = (expirySeconds: number) =>
      deadlines({ bodiesDays: 7, eventsDays: 30, expirySeconds }, at, DAY).expiresAt - at;
    expect(ends(300)).toBe(300_000);
    expect(ends(604_800)).toBeGreaterThan(6.6 * DAY);
    expect(ends(604_800)).toBeLessThan(7 * DAY - 3_600_000);
  });

  describe('what is to be sent later', () => {
    const HOUR = 3_600_000;
    const at = Date.UTC(2026, 10, 25, 9, 30, 0, 700);
    const later = (limits: { bodiesDays: number; eventsDays: number }, deliverAt: number, expiryMs = DAY) =>
      deadlines(limits, at, expiryMs, deliverAt);

    it('is tried from then on for as long as anything else', () => {
      expect(later({ bodiesDays: 7, eventsDays: 30 }, at + 3 * DAY)).toMatchObject({
        deliverAt: at + 3 * DAY,
        expiresAt: at + 4 * DAY,
      });
    });

    it('goes now where that time is over', () => {
      const past = later({ bodiesDays: 7, eventsDays: 30 }, at - DAY);
      expect(past).toEqual(deadlines({ bodiesDays: 7, eventsDays: 30 }, at, DAY));
      expect(past).not.toHaveProperty('deliverAt');
    });

    it.each(settings)('%j: the latest possible time is named, is possible, and a second more is not', (limits) => {
      for (const expiryMs of [HOUR, DAY]) {
        const refused = (deliverAt: number): string => {
          try {
            later(limits, deliverAt, expiryMs);
          } catch (error) {
            expect(error).toMatchObject({ status: 400, field: 'o:deliverytime' });
            return (error as Error).message;
          }
          return '';
        };
        const said = refused(at + 30 * DAY);
        const named = /^'o:deliverytime' is too far ahead: the latest possible time is (.+)$/.exec(said)?.[1];
        if (named === undefined) {
          expect(said).toBe(`'o:deliverytime' is not possible for this domain: it keeps mail for too short a time`);
          expect(refused(at + 1)).toBe(said);
          continue;
        }
        const latest = Date.parse(named);
        expect(refused(latest)).toBe('');
        expect(refused(latest + 1_000)).toBe(said);
        const { dropAt, expiresAt } = later(limits, latest, expiryMs);
        expect(expiresAt).toBeLessThan(dropAt.getTime());
      }
    });

    it('can be five and a half days ahead at least, with what a domain keeps by default', () => {
      for (const hour of [0, 1, 5, 6, 11, 23]) {
        const accepted = Date.UTC(2026, 10, 25, hour, 59, 59, 999);
        const deliverAt = accepted + 5.7 * DAY;
        expect(deadlines({ bodiesDays: 7, eventsDays: 30 }, accepted, DAY, deliverAt).deliverAt).toBe(deliverAt);
      }
    });
  });
});
