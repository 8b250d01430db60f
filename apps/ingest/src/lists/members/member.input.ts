import type { ListMember } from '@lethe/contracts';
import { normalForm, parseAddress } from '@lethe/mail';
import { z } from 'zod';
import { readYesNo, type Fields } from '../../form/fields.ts';
import { invalid, missing } from '../../form/refusals.ts';

/** What a customer says about a member; undefined leaves it as it is. */
export interface MemberInput {
  /** In its canonical form. */
  readonly address: string;
  readonly normalForm: string;
  readonly name: string | undefined;
  readonly vars: ListMember['vars'] | undefined;
  readonly subscribed: boolean | undefined;
}

export const MOST_MEMBERS = 1_000;
const MAX_NAME = 998;
/** They go into the envelope of every message to the member, beside the subject. */
const MAX_VARS_OCTETS = 16 * 1024;

const varsShape = z.record(z.string(), z.json());
/** Clients send `vars` as an object here and as text elsewhere, `subscribed` as a boolean or a word. */
const memberShape = z.object({
  address: z.string(),
  name: z.string().nullish(),
  vars: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  subscribed: z.union([z.string(), z.boolean(), z.number()]).nullish(),
});

const yesNo = z.enum(['yes', 'no']);
const vars = z.string().meta({ description: 'A JSON object' });
/** As clients see them in OpenAPI. */
export const subscribedField = z.object({ subscribed: yesNo.optional() });
export const memberFields = z.object({
  address: z.string(),
  name: z.string().max(MAX_NAME).optional(),
  vars: vars.optional(),
  subscribed: yesNo.default('yes'),
  upsert: yesNo.default('no'),
});
export const importFields = z.object({
  members: z
    .string()
    .meta({ description: 'A JSON array of addresses, or of objects with an address; of members.csv a file' }),
  subscribed: yesNo.optional(),
  upsert: yesNo.default('no'),
});

/** A member that is added. @throws ApiError 400 naming the field. */
export function readMember(fields: Fields): MemberInput {
  const address = fields('address');
  if (address === undefined) throw missing('address');
  return memberOf(address, fields, '');
}

/** A member that is changed; `address` where it gets another one. @throws ApiError 400 naming the field. */
export function readChange(fields: Fields): Omit<MemberInput, 'address' | 'normalForm'> & { to?: MemberInput } {
  const address = fields('address');
  const change = {
    name: readName(fields('name'), ''),
    vars: readVars(fields('vars'), ''),
    subscribed: readYesNo(fields, 'subscribed'),
  };
  return address === undefined ? change : { ...change, to: memberOf(address, fields, '') };
}

/**
 * `members` of an import: a JSON array of addresses, or of objects. `subscribed` is for those that do not say it themselves.
 * @throws ApiError 400 naming the field; then nobody was added.
 */
export function readMembers(text: string | undefined, subscribed: boolean | undefined): MemberInput[] {
  if (text === undefined) throw missing('members');
  const list = parseJson(text, 'members');
  if (!Array.isArray(list)) throw invalid('members', 'a JSON array of addresses or of objects is needed');
  if (list.length === 0) throw missing('members');
  if (list.length > MOST_MEMBERS) throw invalid('members', `at most ${MOST_MEMBERS} members are taken at once`);
  return list.map((one: unknown, index) => {
    const place = `members[${index}].`;
    const { success, data } = memberShape.safeParse(typeof one === 'string' ? { address: one } : one);
    if (!success) throw invalid(`members[${index}]`, 'an address is needed, or an object with one');
    const text = (value: string | number | boolean | object | null | undefined): string | undefined => {
      if (value === undefined || value === null || value === '') return undefined;
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
    };
    const fields: Fields = (name) => text(data[name as keyof typeof data]);
    const member = memberOf(data.address, fields, place);
    return { ...member, subscribed: member.subscribed ?? subscribed };
  });
}

/** `place` says which of many it is. */
export function memberOf(address: string, fields: Fields, place: string): MemberInput {
  const parsed = parseAddress(address.trim(), `${place}address`);
  if (!parsed.ok) throw invalid(`${place}address`, parsed.refusal.message);
  return {
    address: parsed.value.address,
    normalForm: normalForm(parsed.value.address),
    name: readName(fields('name'), place),
    vars: readVars(fields('vars'), place),
    subscribed: readYesNo(fields, 'subscribed'),
  };
}

function readName(text: string | undefined, place: string): string | undefined {
  if (text !== undefined && text.length > MAX_NAME)
    throw invalid(`${place}name`, `at most ${MAX_NAME} characters are taken`);
  if (text !== undefined && /\p{Cc}/u.test(text)) throw invalid(`${place}name`, 'it holds a control character');
  return text;
}

/** `null` is what the Go SDK sends for nothing. */
function readVars(text: string | undefined, place: string): ListMember['vars'] | undefined {
  if (text === undefined || text === 'null') return undefined;
  if (Buffer.byteLength(text) > MAX_VARS_OCTETS)
    throw invalid(`${place}vars`, `at most ${MAX_VARS_OCTETS} octets are taken`);
  const { success, data } = varsShape.safeParse(parseJson(text, `${place}vars`));
  if (!success) throw invalid(`${place}vars`, 'a JSON object is needed');
  return data;
}

function parseJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid(field, 'it is no valid JSON');
  }
}
