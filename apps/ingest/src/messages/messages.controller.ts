import { isIP } from 'node:net';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiError, Caller, Clock, CONFIG, type Identity } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { AcceptService } from '../accept/accept.service.ts';
import { envelopeOctets } from '../accept/envelope.size.ts';
import type { Submission } from '../accept/submission.ts';
import { type IngestConfig } from '../config.ts';
import { MemoryBudget } from '../form/memory.budget.ts';
import { readForm, type Form } from '../form/form.parser.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { submissionOfForm } from './form.submission.ts';
import { submissionOfMime } from './mime.submission.ts';
import type { Origin } from './origin.ts';

/** Fields, headers and boundaries a form has around its message. */
const FORM_OVERHEAD = 1024 * 1024;

/** A recipient's envelope, sealed in base64 in two records, these in the outbox row and its statement. */
const SEALED_COPIES = 6;

interface Answer {
  readonly id: string;
  readonly message: string;
}

/** Mailgun's two ways to hand a message in (mailgun-api §2). */
@Controller('v3/:domain')
export class MessagesController {
  constructor(
    private readonly domains: SendingDomains,
    private readonly budget: MemoryBudget,
    private readonly accept: AcceptService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Post('messages')
  @HttpCode(200)
  send(@Caller() caller: Identity, @Req() request: FastifyRequest): Promise<Answer> {
    return this.take(caller, request, submissionOfForm);
  }

  @Post('messages.mime')
  @HttpCode(200)
  sendMime(@Caller() caller: Identity, @Req() request: FastifyRequest): Promise<Answer> {
    return this.take(caller, request, submissionOfMime);
  }

  private async take(
    caller: Identity,
    request: FastifyRequest,
    toSubmission: (form: Form, origin: Origin) => Submission | Promise<Submission>,
  ): Promise<Answer> {
    // What can be refused without reading the message is refused first.
    const domain = this.domains.of(caller);
    this.accept.assertRoom();
    const limit = this.config.MESSAGE_MAX_BYTES + FORM_OVERHEAD;
    const length = readLength(request.headers['content-length']);
    if (length !== undefined && length > limit) throw tooLarge(this.config.MESSAGE_MAX_BYTES);

    // A compressed body says nothing about its size: room for the largest.
    const room = request.headers['content-encoding'] ? undefined : length;
    return this.budget.run(room, async (more) => {
      const form = await readForm(request.raw, request.headers, {
        maxBytes: limit,
        maxParts: this.config.FORM_MAX_PARTS,
      });
      const acceptedAt = this.clock.now();
      const origin = { domain: domain.name, keyId: caller.keyId, acceptedAt, ...clientAddress(request) };
      const submission = await toSubmission(form, origin);
      if (submission.raw.length > this.config.MESSAGE_MAX_BYTES) throw tooLarge(this.config.MESSAGE_MAX_BYTES);
      more(SEALED_COPIES * envelopeOctets(submission) * submission.recipients.length);
      await this.accept.accept(submission, domain, acceptedAt);
      return { id: `<${submission.messageIdHeader}>`, message: 'Queued. Thank you.' };
    });
  }
}

/** The gateway says who its client is and passes nothing on that the client said about it. */
function clientAddress({ headers }: FastifyRequest): { originatingIp?: string } {
  const address = headers['x-forwarded-for'];
  return typeof address === 'string' && isIP(address) !== 0 ? { originatingIp: address } : {};
}

function readLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

const tooLarge = (limit: number): ApiError => new ApiError(413, `the message is larger than ${limit} octets`);
