import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { Caller, CONFIG, Operation, readIdempotencyKey, type Answer, type Identity } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import type { Submission } from '../accept/submission.ts';
import { type IngestConfig } from '../config.ts';
import { readForm, type Form } from '../form/form.parser.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { intoForm, intoMime, type Into } from '../templates/render/into.ts';
import { MessageTemplates } from '../templates/render/message.templates.ts';
import { submissionOfForm } from './form.submission.ts';
import { IntakeService } from './intake.service.ts';
import { FORMS, messageFields, mimeFields } from './message.fields.ts';
import type { Origin } from './origin.ts';
import { submissionOfMime } from './mime.submission.ts';
import { clientAddress, FORM_OVERHEAD, queued, queuedAnswer, readLength } from './request.ts';

const ONCE =
  'With an Idempotency-Key the same request again is answered with the same id for a day, and sends nothing; another one under it is a 409';

/** Mailgun's two ways to hand a message in (mailgun-api §2). */
@Controller('v3/:domain')
export class MessagesController {
  constructor(
    private readonly domains: SendingDomains,
    private readonly intake: IntakeService,
    private readonly templates: MessageTemplates,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Operation('Send a message', { answer: queuedAnswer, body: messageFields, takes: FORMS, description: ONCE })
  @Post('messages')
  @HttpCode(200)
  send(@Caller() caller: Identity, @Req() request: FastifyRequest): Promise<Answer<typeof queuedAnswer>> {
    return this.take(caller, request, 'messages', intoForm, submissionOfForm);
  }

  @Operation('Send a message in MIME form', { answer: queuedAnswer, body: mimeFields, takes: FORMS, description: ONCE })
  @Post('messages.mime')
  @HttpCode(200)
  sendMime(@Caller() caller: Identity, @Req() request: FastifyRequest): Promise<Answer<typeof queuedAnswer>> {
    return this.take(caller, request, 'messages.mime', intoMime, submissionOfMime);
  }

  private async take(
    caller: Identity,
    { raw, headers }: FastifyRequest,
    door: string,
    into: Into,
    toSubmission: (form: Form, origin: Origin) => Submission | Promise<Submission>,
  ): Promise<Answer<typeof queuedAnswer>> {
    const domain = this.domains.of(caller);
    const key = readIdempotencyKey(headers['idempotency-key']);
    const maxBytes = this.config.MESSAGE_MAX_BYTES + FORM_OVERHEAD;
    const length = readLength(headers['content-length']);
    this.intake.assertRoom(length, maxBytes);
    const id = await this.intake.take({
      domain,
      by: { keyId: caller.keyId, method: 'http', ...clientAddress(headers) },
      // Without a length (it came compressed, perhaps): room for the largest.
      octets: length,
      read: () => readForm(raw, headers, { maxBytes, maxParts: this.config.FORM_MAX_PARTS }),
      toSubmission: async (form, origin, more) =>
        toSubmission(await this.templates.applied(form, domain, into, more), origin),
      ...(key === undefined ? {} : { once: { key, door } }),
    });
    return queued(id);
  }
}
