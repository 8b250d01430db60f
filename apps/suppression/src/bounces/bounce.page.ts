import { normalForm, parseAddress } from '@lethe/mail';
import { ApiError, type paging } from '@lethe/service';
import { z } from 'zod';
import { invalid } from './refusals.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** Which part of a list is asked for. */
export interface PageQuery {
  readonly limit: number;
  /** Prefix of addresses, in lower case; '' takes all. */
  readonly term: string;
  readonly backwards: boolean;
  /** The page begins strictly after (or before) this address; undefined: at the list's end. */
  readonly pivot: string | undefined;
}

/** What a page found, as far as its links need it. */
export interface PageEdges {
  /** Of the items shown. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** The last one looked at on the way, whether it was shown or not. */
  readonly looked: string | undefined;
  /** Nothing more lies in the direction that was asked for. */
  readonly ended: boolean;
}

const given = z.record(z.string(), z.unknown());

/** As clients see it in OpenAPI. */
export const pageFields = z.object({
  limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  page: z.enum(['first', 'next', 'previous', 'last']).optional(),
  address: z.string().optional(),
  term: z.string().optional(),
});

/** @throws ApiError 400 naming the field. */
export function readPageQuery(query: unknown): PageQuery {
  const fields = given.catch({}).parse(query);
  const field = (name: string): string => {
    const value = fields[name];
    if (Array.isArray(value)) throw invalid(name, 'one value is needed');
    return typeof value === 'string' ? value.trim() : '';
  };
  const page = field('page');
  if (!/^(?:first|next|prev|previous|last)?$/.test(page)) {
    throw invalid('page', 'it is first, next, previous or last');
  }
  // Without a pivot the next page is the first one, and the previous one the last.
  const moves = page !== 'first' && page !== 'last';
  return {
    limit: readLimit(field('limit')),
    term: field('term').toLowerCase(),
    backwards: page.startsWith('prev') || page === 'last',
    pivot: moves ? readPivot(field('address')) : undefined,
  };
}

function readLimit(text: string): number {
  if (text === '') return DEFAULT_LIMIT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new ApiError(400, `'limit' must be a number from 1 to ${MAX_LIMIT}`, { field: 'limit' });
}

function readPivot(text: string): string | undefined {
  if (text === '') return undefined;
  const parsed = parseAddress(text, 'address');
  if (!parsed.ok) {
    throw invalid('address', parsed.refusal.message);
  }
  return normalForm(parsed.value.address);
}

/**
 * The four links of a page; all of them always lead somewhere (mailgun-api §1). Turning back from an empty page at either end
 * begins at that end: from beside the pivot, the pivot itself would be skipped.
 */
export function pageLinks(collection: string, query: PageQuery, edges: PageEdges): z.infer<typeof paging> {
  const link = (page: string, address?: string): string => {
    const parameters = new URLSearchParams({ page });
    if (address !== undefined) parameters.set('address', address);
    parameters.set('limit', String(query.limit));
    if (query.term !== '') parameters.set('term', query.term);
    return `${collection}?${parameters.toString()}`;
  };
  const { first, last, looked, ended } = edges;
  const onward = looked ?? query.pivot;
  const back = (page: string, end: string, shown: string | undefined): string =>
    shown === undefined && ended ? link(end) : link(page, shown ?? onward);
  return {
    first: link('first'),
    last: link('last'),
    next: query.backwards ? back('next', 'first', last) : link('next', onward),
    previous: query.backwards ? link('previous', onward) : back('previous', 'last', first),
  };
}
