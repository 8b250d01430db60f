import { dropTime } from '@lethe/bodies';
import { bucketLimit, bucketOf, EVENT_CLASS_BY_DAYS, type DomainSettings, type EventClass } from '@lethe/contracts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface Deadlines {
  readonly eventClass: EventClass;
  /** When the body's partition and content key go. */
  readonly dropAt: Date;
  /** No delivery attempt starts later. */
  readonly expiresAt: number;
}

/**
 * All limits are upper bounds (design §7), so everything that is needed to send ends first: an attempt can only be made
 * while the body exists and the envelope, sealed under the bucket of its acceptance, can be opened. A retention of 0 days
 * means shredded on final delivery; until then the body may wait for a day.
 */
export function deadlines(
  settings: Pick<DomainSettings, 'bodiesDays' | 'eventsDays'>,
  acceptedAt: number,
  expiryMs: number,
): Deadlines {
  const eventClass = EVENT_CLASS_BY_DAYS[settings.eventsDays as keyof typeof EVENT_CLASS_BY_DAYS] ?? 'e30';
  const dropAt = dropTime(new Date(acceptedAt), Math.max(1, settings.bodiesDays) * DAY);
  const envelopeEnd = bucketLimit(eventClass, bucketOf(eventClass, acceptedAt));
  const expiresAt = Math.min(acceptedAt + expiryMs, dropAt.getTime() - HOUR, envelopeEnd - HOUR);
  return { eventClass, dropAt, expiresAt };
}
