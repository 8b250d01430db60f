import { normalForm, parseAddress } from '@lethe/mail';
import { ApiError, type paging } from '@lethe/service';
import { z } from 'zod';
import { readDirection, readYesNo, type Fields } from '../form/fields.ts';
import { invalid } from '../form/refusals.ts';

/** Of lists and of members alike (mailgun-api §13). */
const MAX_LIMIT = 100;
const MAX_SKIP = 1_000_000;

/** Part of a list, in the order in which it grew. */
export interface Slice {
  /** Strictly after or before it; from the end without it. A bigint, as text. */
  readonly position: string | undefined;
  readonly backwards: boolean;
  readonly most: number;
}

const limit = z.int().min(1).max(MAX_LIMIT).default(MAX_LIMIT);
const address = z.string().optional();
/** As clients see them in OpenAPI; members have `subscribed` besides. */
export const pageFields = z.object({
  limit,
  page: z.enum(['first', 'next', 'previous', 'last']).optional(),
  address,
  position: z.string().optional(),
});
export const offsetFields = z.object({ limit, skip: z.int().min(0).max(MAX_SKIP).default(0), address });

export interface PageQuery {
  readonly limit: number;
  readonly backwards: boolean;
  /** Strictly after or before this address … */
  readonly pivot: string | undefined;
  /** … or this position, which links have besides: it leads on where whom they name has been removed meanwhile. */
  readonly position: string | undefined;
  readonly subscribed: boolean | undefined;
}

export interface OffsetQuery {
  readonly limit: number;
  readonly skip: number;
  /** Normal form. */
  readonly address: string | undefined;
  readonly subscribed: boolean | undefined;
}

/** An end of a page: the last row looked at on that side, and what was shown there, if anything. */
export interface Edge {
  readonly position: string;
  readonly address: string | undefined;
}

/** @throws ApiError 400 naming the field. */
export function readPageQuery(fields: Fields): PageQuery {
  const { moves, backwards } = readDirection(fields);
  const position = fields('position');
  if (position !== undefined && !/^\d{1,18}$/.test(position)) throw invalid('position', 'take it from a link as it is');
  return {
    limit: readLimit(fields),
    backwards,
    pivot: moves ? readAddress(fields) : undefined,
    position: moves ? position : undefined,
    subscribed: readYesNo(fields, 'subscribed'),
  };
}

/** @throws ApiError 400 naming the field. */
export function readOffsetQuery(fields: Fields): OffsetQuery {
  const skip = fields('skip') ?? '0';
  if (!/^\d{1,7}$/.test(skip) || Number(skip) > MAX_SKIP) {
    throw new ApiError(400, `'skip' must be a number from 0 to ${MAX_SKIP}`, { field: 'skip' });
  }
  return {
    limit: readLimit(fields),
    skip: Number(skip),
    address: readAddress(fields),
    subscribed: readYesNo(fields, 'subscribed'),
  };
}

/**
 * The four links of a page; all of them always lead somewhere (mailgun-api §1). Turning back from an empty page begins at
 * that end: from beside the pivot, the pivot itself would be skipped.
 */
export function pageLinks(
  collection: string,
  { limit, backwards, pivot, position, subscribed }: PageQuery,
  edges: { first: Edge; last: Edge } | undefined,
): z.infer<typeof paging> {
  const link = (page: string, edge?: Partial<Edge>): string => {
    const parameters = new URLSearchParams({ page });
    if (edge?.address !== undefined) parameters.set('address', edge.address);
    if (edge?.position !== undefined) parameters.set('position', edge.position);
    parameters.set('limit', String(limit));
    if (subscribed !== undefined) parameters.set('subscribed', subscribed ? 'yes' : 'no');
    return `${collection}?${parameters.toString()}`;
  };
  const here: Partial<Edge> = {
    ...(pivot === undefined ? {} : { address: pivot }),
    ...(position === undefined ? {} : { position }),
  };
  return {
    first: link('first'),
    last: link('last'),
    next: edges ? link('next', edges.last) : backwards ? link('first') : link('next', here),
    previous: edges ? link('previous', edges.first) : backwards ? link('previous', here) : link('last'),
  };
}

function readLimit(fields: Fields): number {
  const text = fields('limit') ?? String(MAX_LIMIT);
  const limit = Number(text);
  if (/^\d{1,3}$/.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new ApiError(400, `'limit' must be a number from 1 to ${MAX_LIMIT}`, { field: 'limit' });
}

function readAddress(fields: Fields): string | undefined {
  const text = fields('address');
  if (text === undefined) return undefined;
  const parsed = parseAddress(text, 'address');
  if (!parsed.ok) throw invalid('address', parsed.refusal.message);
  return normalForm(parsed.value.address);
}
