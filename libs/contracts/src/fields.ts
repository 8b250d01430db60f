import { z } from 'zod';

/**
 * Every leaf of a contract is made here, because only these leaves carry the mark that says whether the field is
 * personal (Art. 4(1) GDPR). `contractFields` walks all contracts: an unmarked leaf fails the build, and so does a
 * personal leaf outside a sealed part.
 */
export type PersonalCategory =
  | 'address'
  | 'name'
  | 'content'
  | 'content-digest'
  | 'network'
  | 'reply'
  | 'customer-typed';
export type FieldMark =
  | { kind: 'opaque' | 'instant' | 'count' | 'code' | 'flag' | 'public-name' }
  | { kind: 'personal'; category: PersonalCategory }
  | { kind: 'sealed'; type: SealedType };

/**
 * What a seal holds, and under whose key it lies: the person's it is about, or the account's. The type is part of its protected
 * header, so one kind cannot be passed off as another.
 */
export const SEALED_UNDER = {
  envelope: 'subject',
  person: 'subject',
  reply: 'subject',
  'dkim-key': 'account',
  'smtp-credential': 'account',
  'unsubscribe-footer': 'account',
  suppression: 'subject',
  'unsubscribe-link': 'subject',
  receipt: 'account',
  'request-text': 'account',
  'queued-message': 'account',
  'sandbox-recipient': 'subject',
  'mailing-list': 'account',
  'list-member': 'subject',
  'allowed-senders': 'account',
  'account-name': 'account',
  'key-description': 'account',
  'retention-instruction': 'account',
  user: 'subject',
  'user-secrets': 'subject',
  template: 'account',
  'template-version': 'account',
  'template-content': 'account',
} as const;
export type SealedType = keyof typeof SEALED_UNDER;

const registry = z.registry<FieldMark>();

export function markOf(schema: z.core.$ZodType): FieldMark | undefined {
  return registry.get(schema);
}

function mark<S extends z.ZodType>(schema: S, fieldMark: FieldMark): S {
  registry.add(schema, fieldMark);
  return schema;
}

/** An id made by us: says nothing about anyone. */
export const id = () => mark(z.string().regex(/^[\w.:/-]{1,200}$/), { kind: 'opaque' });
/** Start of a time bucket, `yyyymmddhh` in UTC. */
export const bucket = () => mark(z.string().regex(/^\d{10}$/), { kind: 'opaque' });
/** Epoch milliseconds. */
export const instant = () => mark(z.number().nonnegative(), { kind: 'instant' });
export const count = () => mark(z.int().nonnegative(), { kind: 'count' });
/** Numbers of records by kind: `{ event: 12 }`. */
export const counts = () =>
  mark(z.record(z.string().regex(/^[a-z][a-z-]{0,40}$/), z.int().nonnegative()), { kind: 'count' });
/** A name of ours out of a set that grows with the code (a store, an error code): says nothing about anyone. */
export const word = () => mark(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/), { kind: 'code' });
export const duration = () => mark(z.number().nonnegative(), { kind: 'count' });
export const flag = () => mark(z.boolean(), { kind: 'flag' });
export const code = <const T extends readonly [string, ...string[]]>(values: T) =>
  mark(z.enum(values), { kind: 'code' });
export const literal = <const T extends string>(value: T) => mark(z.literal(value), { kind: 'code' });
/** SMTP enhanced status code, RFC 3463. */
export const enhancedCode = () => mark(z.string().regex(/^[245]\.\d{1,3}\.\d{1,3}$/), { kind: 'code' });
/** Hex digest of a high-entropy secret of ours (API keys): not reversible, names nobody. */
export const digest = () => mark(z.string().regex(/^[0-9a-f]{64}$/), { kind: 'opaque' });
/** A name published in DNS by the customer (sending domain, selector). */
export const publicName = () => mark(z.string().min(1).max(253), { kind: 'public-name' });
/** Text about a person. Only ever inside a sealed part. */
export const personal = (category: PersonalCategory) => mark(z.string(), { kind: 'personal', category });
/** Customer's JSON about a person (`v:` variables). Only ever inside a sealed part. */
export const personalMap = (category: PersonalCategory) =>
  mark(z.record(z.string(), z.json()), { kind: 'personal', category });

const sealedParts = new Map<SealedType, z.ZodObject>();
/** Inner shape of each sealed part, for openers and for the data map. */
export function sealedPart<S extends z.ZodObject>(type: SealedType, shape: S): S {
  sealedParts.set(type, shape);
  return shape;
}
export const allSealedParts = (): ReadonlyMap<SealedType, z.ZodObject> => sealedParts;

/** A compact JWE (RFC 7516 §7.1) made by `libs/vault` around the sealed part of that type. */
export const sealed = (type: SealedType) =>
  mark(z.string().regex(/^[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/), { kind: 'sealed', type });
