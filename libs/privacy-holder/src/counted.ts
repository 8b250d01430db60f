import type { Counts } from './holder.ts';

/** Numbers by kind, without the kinds of which there are none: `{}` says that nothing was found. */
export const counted = <T extends Readonly<Record<keyof T, number>>>(numbers: T): Counts =>
  Object.fromEntries(Object.entries<number>({ ...numbers }).filter(([, number]) => number > 0));
