import { ApiError } from '@lethe/service';
import { z } from 'zod';
import { ExpressionError, parseExpression, type Expression } from './filter.expression.ts';
import { readTimeRange, type TimeRange } from './time-range.ts';

/** What a page of events is a page of. Kept whole in the page's token. */
export interface EventQuery {
  readonly range: TimeRange;
  readonly limit: number;
  /** Field and expression; a repeated filter is a conjunction. */
  readonly filters: ReadonlyArray<readonly [field: FilterField, expression: string]>;
}

type Clause = Record<string, unknown>;

const keyword =
  (field: string) =>
  (text: string): Clause => ({ term: { [field]: text } });
const words =
  (field: string) =>
  (text: string): Clause => ({ match_phrase: { [field]: text } });

/** Filters of the events API (mailgun-api §3) and the clause a term of each becomes. */
const FILTERS = {
  event: keyword('event'),
  severity: keyword('severity'),
  recipient: keyword('recipient'),
  recipients: keyword('recipients'),
  tags: keyword('tags'),
  from: words('from'),
  to: words('to'),
  subject: words('message_subject'),
  attachment: words('attachments.filename'),
  'message-id': (text: string) => keyword('message_id')(text.replace(/^<(.*)>$/, '$1')),
  size: keyword('size'),
  // There are no mailing lists yet: nothing is of a list.
  list: (): Clause => ({ match_none: {} }),
} as const;
export type FilterField = keyof typeof FILTERS;

const IGNORED = new Set(['pretty', 'page']);
const RANGE = new Set(['begin', 'end', 'ascending', 'limit']);
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 300;

/** As clients see it in OpenAPI. */
export const eventFields = z.object({
  begin: z.string().optional(),
  end: z.string().optional(),
  ascending: z.enum(['yes', 'no']).optional(),
  limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  ...Object.fromEntries(Object.keys(FILTERS).map((name) => [name, z.string().optional()])),
});

/** @throws ApiError 400 naming the parameter. */
export function readEventQuery(parameters: URLSearchParams): EventQuery {
  const filters: [FilterField, string][] = [];
  for (const [name, value] of parameters) {
    if (IGNORED.has(name) || RANGE.has(name) || value === '') continue;
    if (!Object.hasOwn(FILTERS, name))
      throw new ApiError(400, `'${shown(name)}' is not a filter of events`, { field: shown(name) });
    const field = name as FilterField;
    compile(field, value);
    filters.push([field, value]);
  }
  const one = (name: string): string | undefined => parameters.get(name) ?? undefined;
  const [begin, end, ascending] = [one('begin'), one('end'), one('ascending')];
  const range = readTimeRange({
    ...(begin === undefined ? {} : { begin }),
    ...(end === undefined ? {} : { end }),
    ...(ascending === undefined ? {} : { ascending }),
  });
  return { range, limit: readLimit(one('limit')), filters };
}

/** The query as Elasticsearch takes it, below an account's domain. */
export function toClauses(query: EventQuery): Clause[] {
  const { from, to } = query.range;
  const at = { ...(from === undefined ? {} : { gte: from }), ...(to === undefined ? {} : { lte: to }) };
  const range = Object.keys(at).length > 0 ? [{ range: { at } }] : [];
  return [...range, ...query.filters.map(([field, text]) => compile(field, text))];
}

function compile(field: FilterField, text: string): Clause {
  try {
    // An address or an id is taken as it is: quoted local parts and '<…>' are no expressions.
    const literal = field === 'message-id' || (field === 'recipient' && !/\s|["()]$/.test(text));
    return literal ? FILTERS[field](text) : clause(field, parseExpression(text));
  } catch (error) {
    if (error instanceof ExpressionError) throw new ApiError(400, `'${field}' ${error.message}`, { field });
    throw error;
  }
}

function clause(field: FilterField, expression: Expression): Clause {
  switch (expression.kind) {
    case 'not':
      return { bool: { must_not: [clause(field, expression.inner)] } };
    case 'all':
      return { bool: { filter: expression.inner.map((inner) => clause(field, inner)) } };
    case 'any':
      return { bool: { should: expression.inner.map((inner) => clause(field, inner)), minimum_should_match: 1 } };
    case 'compare':
      if (field !== 'size') throw new ExpressionError('is not a number and cannot be compared');
      return { range: { size: { [expression.operator]: expression.value } } };
    case 'term':
      if (field === 'size' && !/^\d{1,15}$/.test(expression.text)) throw new ExpressionError('must be a number');
      return FILTERS[field](expression.text);
  }
}

function readLimit(value: string | undefined): number {
  if (value === undefined || value === '') return DEFAULT_LIMIT;
  if (!/^\d{1,6}$/.test(value) || Number(value) < 1) {
    throw new ApiError(400, `'limit' must be a number from 1 to ${MAX_LIMIT}`, { field: 'limit' });
  }
  return Math.min(Number(value), MAX_LIMIT);
}

const shown = (name: string): string => (/^[\w:.-]{1,64}$/.test(name) ? name : 'a parameter');
