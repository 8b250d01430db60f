import { Inject, Injectable } from '@nestjs/common';
import { normalForm } from '@lethe/mail';
import { ApiError, CONFIG } from '@lethe/service';
import type { OwnRecipient, Submission, SubmissionRecipient } from '../../accept/submission.ts';
import { type IngestConfig } from '../../config.ts';
import { MAX_GROWTH, outgrows } from '../../messages/recipient.variables.ts';
import { ListsService } from '../lists.service.ts';
import type { ListRow } from '../list.ts';
import type { Member } from './member.ts';
import { MembersService } from './members.service.ts';

/** Members opened at once. */
const SLICE = 500;
/**
 * A message to a list becomes one to each of its subscribed members, with what is theirs, as with `recipient-variables`: nobody
 * sees who else is on it.
 */
@Injectable()
export class ExpansionService {
  constructor(
    private readonly lists: ListsService,
    private readonly members: MembersService,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /** @throws ApiError 400. */
  async expand(submission: Submission, account: string): Promise<Submission> {
    const forms = submission.recipients.map((recipient) => recipient.normalForm);
    const lists = await this.lists.among(account, forms);
    if (lists.size === 0) return submission;
    const recipients = new Map(
      submission.recipients.flatMap((one) => (lists.has(one.normalForm) ? [] : [[one.normalForm, one] as const])),
    );
    for (const list of lists.values()) await this.join(recipients, list);
    if (recipients.size === 0) {
      throw new ApiError(400, `the mailing lists in 'to', 'cc' and 'bcc' have no subscribed members`, { field: 'to' });
    }
    const everybody = [...recipients.values()];
    if (outgrows(submission.raw, everybody)) {
      throw new ApiError(400, `the variables of a member make the message more than ${MAX_GROWTH} octets larger`, {
        field: 'to',
      });
    }
    return { ...submission, recipients: everybody };
  }

  private async join(recipients: Map<string, SubmissionRecipient>, list: ListRow): Promise<void> {
    let position: string | undefined;
    do {
      const slice = await this.members.subscribed(list, { position, most: SLICE });
      position = slice.position;
      // A list that is on a list is mailed by itself, or two that are on each other would never end.
      const nested = await this.lists.among(list.account_id, slice.members.map(formOf));
      for (const member of slice.members) {
        const form = formOf(member);
        if (nested.has(form)) continue;
        // Whoever is named besides gets what the others who are named get.
        if (!recipients.has(form)) recipients.set(form, asRecipient(member, form));
      }
      if (recipients.size > this.config.LIST_MAX_RECIPIENTS) {
        throw new ApiError(
          400,
          `mailing lists lead to more than ${this.config.LIST_MAX_RECIPIENTS} recipients together: use smaller lists`,
          { field: 'to' },
        );
      }
    } while (position !== undefined);
  }
}

const formOf = ({ address }: Member): string => normalForm(address);

/** `name` and `address` are variables, too, where no other of their names is set. */
const asRecipient = ({ address, name, vars, row }: Member, form: string): OwnRecipient => ({
  address,
  ...(name ? { name } : {}),
  normalForm: form,
  role: 'each',
  variables: { name, address, ...vars },
  subject: row.subject_id,
});
