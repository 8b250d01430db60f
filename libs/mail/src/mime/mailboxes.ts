import { parseAddressList } from '../address/address-list.ts';
import type { Mailbox } from '../address/address.ts';
import type { Result } from '../refusal.ts';
import { bytesToText } from './text.ts';

/** The mailboxes of a header field (its unfolded value as latin1), all of them or a refusal; names are decoded. */
export const parseMailboxes = (latin1: string, field: string): Result<Mailbox[]> =>
  parseAddressList(bytesToText(latin1).replaceAll('\t', ' '), field);
