import { normalForm, parseAddressList, type Mailbox as ParsedMailbox } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import { MAX_RECIPIENTS, type Mailbox, type SharedRecipient } from '../accept/submission.ts';
import type { Form } from '../form/form.parser.ts';
import { taken } from './refusals.ts';

export function toMailbox({ address, name }: Pick<ParsedMailbox, 'address' | 'name'>): Mailbox {
  return { address, ...(name ? { name } : {}), normalForm: normalForm(address) };
}

export interface RecipientMailbox {
  readonly role: SharedRecipient['role'];
  readonly mailbox: ParsedMailbox;
}

/**
 * Everyone the form names, in the order of the message's header.
 * @throws ApiError 400 naming the field.
 */
export function readRecipientMailboxes(form: Form): RecipientMailbox[] {
  return (['to', 'cc', 'bcc'] as const).flatMap((role) => readList(form, role).map((mailbox) => ({ role, mailbox })));
}

/**
 * Each recipient once: who stands in several fields has the first role, `to` before `cc` before `bcc`.
 * @throws ApiError 400 over 1,000.
 */
export function withoutRepeats(mailboxes: readonly RecipientMailbox[]): SharedRecipient[] {
  const found = new Map<string, SharedRecipient>();
  for (const { role, mailbox } of mailboxes) {
    const recipient = { ...toMailbox(mailbox), role };
    if (!found.has(recipient.normalForm)) found.set(recipient.normalForm, recipient);
  }
  if (found.size > MAX_RECIPIENTS) {
    throw new ApiError(400, `'to', 'cc' and 'bcc' have more than ${MAX_RECIPIENTS} recipients together`, {
      field: 'to',
    });
  }
  return [...found.values()];
}

function readList(form: Form, field: 'to' | 'cc' | 'bcc'): ParsedMailbox[] {
  const values = form.fields.get(field)?.filter((value) => value.trim() !== '') ?? [];
  if (values.length > 0) return taken(parseAddressList(values, field, { max: 2 * MAX_RECIPIENTS }));
  if (field === 'to') throw new ApiError(400, `'to' parameter is missing`, { field });
  return [];
}
