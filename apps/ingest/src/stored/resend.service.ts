import { Inject, Injectable } from '@nestjs/common';
import { removeHeaders, scanMime } from '@lethe/mail';
import { CONFIG, type Identity } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { MAX_RECIPIENTS, type Submission } from '../accept/submission.ts';
import { type IngestConfig } from '../config.ts';
import { readForm } from '../form/form.parser.ts';
import { IntakeService } from '../messages/intake.service.ts';
import { submissionOfMime } from '../messages/mime.submission.ts';
import { toMailbox } from '../messages/recipients.ts';
import { clientAddress, FORM_OVERHEAD, readLength } from '../messages/request.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { StoredService } from './stored.service.ts';

/**
 * Sends a stored message to others. It is a new message, taken in as one of `messages.mime` is, whatever that asks or refuses;
 * the form's options are its own. Only its content is the stored one's, under a Message-ID of its own: whoever has got both shall
 * not take the second for a copy of the first.
 */
@Injectable()
export class ResendService {
  constructor(
    private readonly domains: SendingDomains,
    private readonly stored: StoredService,
    private readonly intake: IntakeService,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /**
   * Answers the Message-ID, without angle brackets, once the new message is durable.
   * @throws ApiError: 404 for the stored one, or whatever a new one is refused with.
   */
  async resend(key: string, caller: Identity, { raw, headers }: FastifyRequest): Promise<string> {
    const domain = this.domains.of(caller);
    const message = await this.stored.find(key, domain);
    this.intake.assertRoom(readLength(headers['content-length']), FORM_OVERHEAD);
    return this.intake.take({
      domain,
      by: { keyId: caller.keyId, method: 'http', ...clientAddress(headers) },
      // Read, and once more without its Message-ID.
      octets: 2 * message.size + FORM_OVERHEAD,
      read: async () => {
        const limits = { maxBytes: FORM_OVERHEAD, maxParts: this.config.FORM_MAX_PARTS };
        const { fields } = await readForm(raw, headers, limits);
        const content = removeHeaders(await this.stored.raw(message), ['message-id']);
        return {
          fields,
          files: [{ field: 'message', filename: 'message', contentType: 'message/rfc822', content }],
        };
      },
      toSubmission: (form, origin) => {
        const submission = submissionOfMime(form, origin);
        return { ...submission, named: namedBesides(submission) };
      },
    });
  }
}

/** Whom the stored message was sent to, as it shows them: its header goes to people it does not name. */
function namedBesides({ raw, recipients }: Submission): NonNullable<Submission['named']> {
  const scan = scanMime(raw);
  // It was scanned when it became a submission.
  if (!scan.ok) return [];
  const known = new Set(recipients.map(({ normalForm }) => normalForm));
  return (['to', 'cc'] as const)
    .flatMap((role) => scan.value[role].map((mailbox) => ({ ...toMailbox(mailbox), role })))
    .filter(({ normalForm }) => !known.has(normalForm) && known.add(normalForm))
    .slice(0, MAX_RECIPIENTS);
}
