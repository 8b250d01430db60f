import { invalid } from './refusals.ts';

const RFC_2822 = /^(?:[A-Za-z]{3,9}, )?\d{1,2} [A-Za-z]{3} (\d{2,4}) \d{2}:\d{2}(?::\d{2})? ([+-]\d{4}|[A-Za-z]{1,5})$/;
/** What JSON makes of a date. */
const ISO_8601 = /^(\d{4})-\d{2}-\d{2}T[\d:.]{5,18}(?:Z|[+-]\d{2}:?\d{2})$/;
/** Nobody bounced before; clients that have no date send that of their own beginning of time (Go: the year 1). */
const FIRST_YEAR = 1990;
const AHEAD_MS = 86_400_000;

/**
 * A date of a record as clients send it. Undefined where there is none: absent, empty, or absurd.
 * @throws ApiError 400 for what is no date.
 */
export function readCreatedAt(text: string | undefined, field: string, now: number): Date | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const [, year, zone = ''] = RFC_2822.exec(text.trim()) ?? ISO_8601.exec(text.trim()) ?? [];
  if (year === undefined) throw invalid(field, 'an RFC 2822 date is needed');
  // Read from the text, because Date.parse takes the year 0001 for 2001.
  if (year.length > 2 && Number(year) < FIRST_YEAR) return undefined;
  // A zone name nobody knows means UTC (RFC 5322 §4.3).
  const time = [text, text.replace(zone, 'GMT')]
    .map((candidate) => Date.parse(candidate))
    .find((at) => !Number.isNaN(at));
  if (time === undefined) throw invalid(field, 'an RFC 2822 date is needed');
  return time > now + AHEAD_MS ? undefined : new Date(time);
}
