import type { SmtpMoment } from './smtp-server.ts';

/** What a world's SMTP server has seen, at one address or at all. */
export async function moments(world: { readonly http: string }, address?: string): Promise<SmtpMoment[]> {
  const all = (await (await fetch(`${world.http}/moments`)).json()) as SmtpMoment[];
  return address === undefined ? all : all.filter((moment) => moment.address === address);
}

/** The most sessions that were open at one moment. */
export function mostAtOnce(seen: readonly SmtpMoment[]): number {
  let [open, most] = [0, 0];
  for (const { what } of seen) {
    if (what === 'opened') open += 1;
    if (what === 'closed') open -= 1;
    most = Math.max(most, open);
  }
  return most;
}

/** The most of one kind within any `ms`, wherever they begin. */
export function mostWithin(seen: readonly SmtpMoment[], what: SmtpMoment['what'], ms: number): number {
  const times = timesOf(seen, what);
  let [first, most] = [0, 0];
  for (const [last, at] of times.entries()) {
    while (at - (times[first] as number) >= ms) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** The longest time between two of one kind, in milliseconds. */
export function longestGap(seen: readonly SmtpMoment[], what: SmtpMoment['what']): number {
  const times = timesOf(seen, what);
  return Math.max(0, ...times.slice(1).map((at, before) => at - (times[before] as number)));
}

const timesOf = (seen: readonly SmtpMoment[], what: SmtpMoment['what']): number[] =>
  seen
    .filter((moment) => moment.what === what)
    .map(({ at }) => at)
    .toSorted((a, b) => a - b);
