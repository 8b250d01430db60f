import type { MailingList as SealedList } from '@lethe/contracts';
import { ApiError } from '@lethe/service';
import { z } from 'zod';

export const ACCESS_LEVELS = ['readonly', 'members', 'everyone'] as const;
export const REPLY_PREFERENCES = ['list', 'sender'] as const;
export type AccessLevel = (typeof ACCESS_LEVELS)[number];
export type ReplyPreference = (typeof REPLY_PREFERENCES)[number];

/** A row as the database gives it; `seq` is a bigint, which comes as text. */
export interface ListRow {
  readonly id: string;
  readonly seq: string;
  readonly account_id: string;
  readonly domain_id: string;
  readonly address_hash: Buffer;
  /** Sealed part `mailing-list`, under the account's key. */
  readonly sealed: string;
  readonly access_level: AccessLevel;
  readonly reply_preference: ReplyPreference;
  readonly members_count: number;
  readonly created_at: Date;
}

/** A list, opened. */
export interface MailingList extends SealedList {
  readonly row: ListRow;
}

export const listShape = z.object({
  address: z.string(),
  name: z.string(),
  description: z.string(),
  access_level: z.enum(ACCESS_LEVELS),
  reply_preference: z.enum(REPLY_PREFERENCES),
  created_at: z.string(),
  members_count: z.int(),
});

/** As the API shows it. The date has a numeric zone: the strictest client reads no other for lists (mailgun-api §1). */
export const shownList = ({ address, name, description, row }: MailingList): z.infer<typeof listShape> => ({
  address,
  name,
  description,
  access_level: row.access_level,
  reply_preference: row.reply_preference,
  created_at: row.created_at.toUTCString().replace('GMT', '+0000'),
  members_count: row.members_count,
});

export const listNotFound = (): ApiError => new ApiError(404, 'Mailing list not found');
