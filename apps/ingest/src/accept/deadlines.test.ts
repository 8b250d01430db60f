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
});
