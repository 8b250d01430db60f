import type { Envelope } from '@lethe/contracts';
import { fillIn, fillInJson } from '@lethe/mail';
import type { Submission, SubmissionRecipient } from './submission.ts';

/** What an envelope has of the message's own, as this recipient's message has it. */
export function addressed(
  { subject, variables }: Pick<Submission, 'subject' | 'variables'>,
  recipient: SubmissionRecipient,
): Pick<Envelope, 'subject' | 'variables' | 'recipientVariables'> {
  if (recipient.role !== 'each') return { subject, variables: variables as Envelope['variables'] };
  return {
    subject: fillIn(subject, recipient),
    variables: fillInJson(variables, recipient) as Envelope['variables'],
    recipientVariables: recipient.variables as Envelope['variables'],
  };
}
