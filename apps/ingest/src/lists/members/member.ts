import type { ListMember } from '@lethe/contracts';
import { ApiError, type Answer } from '@lethe/service';
import { z } from 'zod';

/** A row as the database gives it; `seq` is a bigint, which comes as text. */
export interface MemberRow {
  readonly list_id: string;
  readonly seq: string;
  readonly subject_id: string;
  readonly subscribed: boolean;
  /** Sealed part `list-member`, under the member's key. */
  readonly sealed: string;
}

/** A member, opened. */
export interface Member extends ListMember {
  readonly row: MemberRow;
}

export const memberShape = z.object({
  address: z.string(),
  name: z.string(),
  vars: z.record(z.string(), z.unknown()),
  subscribed: z.boolean(),
});

export const shownMember = ({ address, name, vars, row }: Member): Answer<typeof memberShape> => ({
  address,
  name,
  vars,
  subscribed: row.subscribed,
});

/** What a member's seal is bound to. */
export const memberRecord = (listId: string, subject: string): string => `${listId}/${subject}`;

export const memberNotFound = (): ApiError => new ApiError(404, 'Mailing list member not found');
