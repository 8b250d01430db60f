const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const SHAPE =
  /^(?:[a-z]{3},[ \t]*)?(\d{1,2})[ \t]+([a-z]{3})[ \t]+(\d{4})[ \t]+(\d{2}):(\d{2})(?::(\d{2}))?[ \t]+([+-]\d{4}|[a-z]{1,3})$/i;
/** Minutes from UTC of the zone names of RFC 5322 §4.3. Others say nothing that two people would agree on. */
const ZONES: Readonly<Record<string, number>> = {
  ut: 0,
  gmt: 0,
  utc: 0,
  z: 0,
  edt: -240,
  est: -300,
  cdt: -300,
  cst: -360,
  mdt: -360,
  mst: -420,
  pdt: -420,
  pst: -480,
};

/** A date of RFC 5322 §3.3 (once RFC 2822), with one digit of the day or two, as epoch ms; undefined if it is none, or no such day. */
export function parseMailDate(text: string): number | undefined {
  const [, day, monthName = '', year, hour, minute, second = '0', zoneName = ''] = SHAPE.exec(text.trim()) ?? [];
  const month = MONTHS.indexOf(monthName.toLowerCase());
  const zone = zoneMinutes(zoneName.toLowerCase());
  if (month < 0 || zone === undefined) return undefined;
  const given = [Number(year), month, Number(day), Number(hour), Number(minute), Number(second)] as const;
  const at = new Date(Date.UTC(...given));
  const read = [
    at.getUTCFullYear(),
    at.getUTCMonth(),
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
    at.getUTCSeconds(),
  ];
  // The 31st of April would be the first of May.
  if (given.some((part, index) => part !== read[index])) return undefined;
  return at.getTime() - zone * 60_000;
}

/** The same, or epoch seconds with decimals: the two ways of Mailgun's clients to name an instant. */
export function parseInstant(text: string): number | undefined {
  const seconds = /^\d{1,11}(\.\d{1,9})?$/.exec(text.trim())?.[0];
  return seconds === undefined ? parseMailDate(text) : Math.round(Number(seconds) * 1_000);
}

function zoneMinutes(zone: string): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d{2})(\d{2})$/.exec(zone) ?? [];
  if (sign === undefined) return ZONES[zone];
  if (Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
