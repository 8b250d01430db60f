import { dropTime } from '@lethe/bodies';
import { bucketLimit, bucketOf, EVENT_CLASS_BY_DAYS, type DomainSettings, type EventClass } from '@lethe/contracts';
import { ApiError } from '@lethe/service';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface Deadlines {
  readonly eventClass: EventClass;
  /** When the body's partition and content key go. */
  readonly dropAt: Date;
  /** No delivery attempt starts later. */
  readonly expiresAt: number;
  /** None starts earlier; undefined: at once. */
  readonly deliverAt?: number;
}

/**
 * All limits are upper bounds (design §7), so everything that is needed to send ends first: an attempt can only be made
 * while the body exists and the envelope, sealed under the bucket of its acceptance, can be opened. A retention of 0 days
 * means shredded on final delivery; until then the body may wait for a day. `platformExpiryMs`: how long a message is tried whose
 * domain does not say.
 *
 * What is to be sent later is tried as long as anything else, from then on: one for which too little time is left is refused.
 * @throws ApiError 400 naming the latest possible time.
 */
export function deadlines(
  settings: Pick<DomainSettings, 'bodiesDays' | 'eventsDays' | 'expirySeconds'>,
  acceptedAt: number,
  platformExpiryMs: number,
  deliverAt = acceptedAt,
): Deadlines {
  const eventClass = EVENT_CLASS_BY_DAYS[settings.eventsDays as keyof typeof EVENT_CLASS_BY_DAYS] ?? 'e30';
  const dropAt = dropTime(new Date(acceptedAt), Math.max(1, settings.bodiesDays) * DAY);
  const envelopeEnd = bucketLimit(eventClass, bucketOf(eventClass, acceptedAt));
  const expiryMs = settings.expirySeconds === undefined ? platformExpiryMs : settings.expirySeconds * 1_000;
  // A body that is kept for longer by an instruction is not sent for longer: what waits, waits a week at most.
  const end = Math.min(dropAt.getTime(), dropTime(new Date(acceptedAt)).getTime(), envelopeEnd) - HOUR;
  if (deliverAt <= acceptedAt) return { eventClass, dropAt, expiresAt: Math.min(acceptedAt + expiryMs, end) };
  if (deliverAt + expiryMs > end) throw tooLate(end - expiryMs, acceptedAt);
  return { eventClass, dropAt, expiresAt: deliverAt + expiryMs, deliverAt };
}

function tooLate(latest: number, now: number): ApiError {
  const field = 'o:deliverytime';
  if (latest <= now) {
    return new ApiError(400, `'${field}' is not possible for this domain: it keeps mail for too short a time`, {
      field,
    });
  }
  // Whole seconds, as the field has: whoever takes the time they are told must not be refused again.
  const date = new Date(Math.floor(latest / 1_000) * 1_000).toUTCString();
  return new ApiError(400, `'${field}' is too far ahead: the latest possible time is ${date}`, { field });
}
