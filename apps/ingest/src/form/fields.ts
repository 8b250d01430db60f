import { z } from 'zod';
import type { Form } from './form.parser.ts';
import { invalid } from './refusals.ts';

/**
 * A field's value by its name, without the blanks around it unless they are asked for; undefined where it is absent or empty: clients
 * leave out, or send empty, what they have nothing to say about.
 */
export type Fields = (name: string, blanks?: 'kept') => string | undefined;

const given = z.record(z.string(), z.unknown());

/** @throws ApiError 400 where a parameter comes twice. */
export function queryFields(query: unknown): Fields {
  const values = given.catch({}).parse(query);
  return (name) => {
    const value = values[name];
    if (Array.isArray(value)) throw invalid(name, 'one value is needed');
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
}

/** The form's, and where it has none the query's: clients differ in where they put them. */
export function formFields(form: Form, query: Fields): Fields {
  return (name, blanks) => {
    const value = form.fields.get(name)?.at(-1);
    if (value === undefined || value.trim() === '') return query(name);
    return blanks === 'kept' ? value : value.trim();
  };
}

/** @throws ApiError 400 naming the field. */
export function readYesNo(fields: Fields, name: string): boolean | undefined {
  const text = fields(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (/^(yes|true|1)$/.test(text)) return true;
  if (/^(no|false|0)$/.test(text)) return false;
  throw invalid(name, 'it is yes or no');
}

/**
 * Which way a page lies (mailgun-api §1); where `moves`, strictly after or before its pivot, else at that end.
 * @throws ApiError 400.
 */
export function readDirection(fields: Fields): { readonly moves: boolean; readonly backwards: boolean } {
  const page = fields('page') ?? '';
  if (!/^(?:first|next|prev|previous|last)?$/.test(page)) throw invalid('page', 'it is first, next, previous or last');
  return { moves: page !== 'first' && page !== 'last', backwards: page.startsWith('prev') || page === 'last' };
}
