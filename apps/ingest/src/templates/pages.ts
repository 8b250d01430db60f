import { readDirection, type Fields } from '../form/fields.ts';
import { invalid } from '../form/refusals.ts';
import type { paging } from '@lethe/service';
import { z } from 'zod';

const DEFAULT_LIMIT = 10;
/** mailgun-api §13 */
const MAX_LIMIT = 100;

/** As clients see it in OpenAPI. */
export const pageFields = z.object({
  limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  page: z.enum(['first', 'next', 'previous', 'last']).optional(),
  p: z.string().optional(),
});

export interface PageQuery {
  readonly limit: number;
  readonly backwards: boolean;
  /** The page begins strictly after, or before, this name; undefined: at the list's end. */
  readonly pivot: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly paging: z.infer<typeof paging>;
}

/** @throws ApiError 400 naming the field. */
export function readPageQuery(fields: Fields): PageQuery {
  const { moves, backwards } = readDirection(fields);
  const text = fields('limit') ?? String(DEFAULT_LIMIT);
  const limit = Number(text);
  if (!/^\d{1,3}$/.test(text) || limit < 1 || limit > MAX_LIMIT) {
    throw invalid('limit', `it is a number from 1 to ${MAX_LIMIT}`);
  }
  return {
    limit,
    backwards,
    pivot: moves ? fields('p')?.toLowerCase() : undefined,
  };
}

/**
 * A page of few things that are all there, in the order of their names: of a pivot that is gone, its place is left. All four links
 * always lead somewhere (mailgun-api §1); turning back from an empty page begins at that end, or the pivot would be skipped.
 * `filter` stays in the links.
 */
export function pageOf<T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  { limit, backwards, pivot }: PageQuery,
  links: { collection: string; filter?: Readonly<Record<string, string>> },
): Page<T> {
  const key = (one: T): string => nameOf(one).toLowerCase();
  const sorted = all.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  const beyond = sorted.filter((one) => pivot === undefined || (backwards ? key(one) < pivot : key(one) > pivot));
  const items = backwards ? beyond.slice(-limit) : beyond.slice(0, limit);
  const [first, last] = [items[0], items.at(-1)].map((one) => one && key(one));
  const link = (page: string, p?: string): string => {
    const parameters = new URLSearchParams({ page, ...(p === undefined ? {} : { p }), limit: String(limit) });
    for (const [name, value] of Object.entries(links.filter ?? {})) parameters.set(name, value);
    return `${links.collection}?${parameters.toString()}`;
  };
  return {
    items,
    paging: {
      first: link('first'),
      last: link('last'),
      next: last === undefined && backwards ? link('first') : link('next', last ?? pivot),
      previous: first === undefined && !backwards ? link('last') : link('previous', first ?? pivot),
    },
  };
}
