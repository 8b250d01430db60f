import { parseInstant } from '@lethe/mail';
import { ApiError } from '@lethe/service';

/** Bounds in epoch milliseconds, both inclusive; `ascending` is the order of the page. */
export interface TimeRange {
  readonly from?: number;
  readonly to?: number;
  readonly ascending: boolean;
}

/**
 * `begin` is the starting edge: the oldest bound when ascending, the newest when descending. Both given, they decide the
 * direction; else `ascending` does; nothing given means newest first (mailgun-api §3).
 *
 * @throws ApiError 400 naming the field.
 */
export function readTimeRange(query: { begin?: string; end?: string; ascending?: string }): TimeRange {
  const begin = readInstant('begin', query.begin);
  const end = readInstant('end', query.end);
  const asked = readAscending(query.ascending);
  if (begin !== undefined && end !== undefined && begin !== end) {
    const implied = end > begin;
    if (asked !== undefined && asked !== implied) {
      throw new ApiError(400, `'ascending' contradicts 'begin' and 'end'`, { field: 'ascending' });
    }
    return implied ? { from: begin, to: end, ascending: true } : { from: end, to: begin, ascending: false };
  }
  const ascending = asked ?? false;
  const [from, to] = ascending ? [begin, end] : [end, begin];
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ascending };
}

/** Epoch seconds, decimals allowed, or an RFC 2822 date (RFC 5322 §3.3). */
function readInstant(field: string, value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const instant = parseInstant(value);
  if (instant === undefined) {
    throw new ApiError(400, `'${field}' must be epoch seconds or an RFC 2822 date`, { field });
  }
  return instant;
}

function readAscending(value: string | undefined): boolean | undefined {
  if (value === undefined || value === '') return undefined;
  if (/^(yes|true|1)$/i.test(value)) return true;
  if (/^(no|false|0)$/i.test(value)) return false;
  throw new ApiError(400, `'ascending' must be yes or no`, { field: 'ascending' });
}
