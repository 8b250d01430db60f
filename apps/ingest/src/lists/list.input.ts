import { canonicalDomain, normalForm, parseAddress } from '@lethe/mail';
import { z } from 'zod';
import type { Fields } from '../form/fields.ts';
import { ACCESS_LEVELS, REPLY_PREFERENCES, type AccessLevel, type ReplyPreference } from './list.ts';
import { invalid, missing } from '../form/refusals.ts';

const MAX_NAME = 998;
const MAX_DESCRIPTION = 16_384;

/** As clients see it in OpenAPI. */
export const listFields = z.object({
  address: z.string(),
  name: z.string().max(MAX_NAME).optional(),
  description: z.string().max(MAX_DESCRIPTION).optional(),
  access_level: z.enum(ACCESS_LEVELS).default('readonly'),
  reply_preference: z.enum(REPLY_PREFERENCES).optional(),
});

export interface ListAddress {
  /** In its canonical form. */
  readonly address: string;
  readonly normalForm: string;
  readonly domain: string;
}

/** What a customer says about a list; undefined leaves it as it is. */
export interface ListInput {
  readonly address: ListAddress | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly accessLevel: AccessLevel | undefined;
  readonly replyPreference: ReplyPreference | undefined;
}

/** @throws ApiError 400 naming the field. */
export function readList(fields: Fields): ListInput {
  const text = fields('address');
  return {
    address: text === undefined ? undefined : readListAddress(text),
    name: readText(fields, 'name', MAX_NAME),
    description: readText(fields, 'description', MAX_DESCRIPTION),
    accessLevel: readOneOf(fields, 'access_level', ACCESS_LEVELS),
    replyPreference: readOneOf(fields, 'reply_preference', REPLY_PREFERENCES),
  };
}

/** The same, for a list that is made. */
export function readNewList(fields: Fields): ListInput & { readonly address: ListAddress } {
  const input = readList(fields);
  if (input.address === undefined) throw missing('address');
  return { ...input, address: input.address };
}

function readListAddress(text: string): ListAddress {
  const parsed = parseAddress(text, 'address');
  if (!parsed.ok) throw invalid('address', parsed.refusal.message);
  return listAddress(parsed.value.address);
}

/** A list as a path names it; undefined for what is no address, which no list has. */
export function namedList(text: string): ListAddress | undefined {
  const parsed = parseAddress(text, 'address');
  return parsed.ok ? listAddress(parsed.value.address) : undefined;
}

export function listAddress(address: string): ListAddress {
  const form = normalForm(address);
  const domain = form.slice(form.lastIndexOf('@') + 1);
  return { address, normalForm: form, domain: canonicalDomain(domain) ?? domain };
}

function readText(fields: Fields, name: string, max: number): string | undefined {
  const text = fields(name);
  if (text !== undefined && text.length > max) throw invalid(name, `at most ${max} characters are taken`);
  return text;
}

function readOneOf<const T extends readonly string[]>(fields: Fields, name: string, values: T): T[number] | undefined {
  const text = fields(name)?.toLowerCase();
  if (text === undefined) return undefined;
  const value = values.find((one) => one === text);
  if (value === undefined) throw invalid(name, `it is ${values.join(', ')}`);
  return value;
}
