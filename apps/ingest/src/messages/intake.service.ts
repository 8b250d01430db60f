import { Inject, Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import { AcceptService } from '../accept/accept.service.ts';
import { ComingMessages } from '../accept/coming.messages.ts';
import { envelopeOctets } from '../accept/envelope.size.ts';
import { MAX_RECIPIENTS, type Submission } from '../accept/submission.ts';
import { type IngestConfig } from '../config.ts';
import type { Form } from '../form/form.parser.ts';
import { MemoryBudget } from '../form/memory.budget.ts';
import { IdempotencyService } from '../idempotency/idempotency.service.ts';
import { fingerprintOf } from '../idempotency/request.fingerprint.ts';
import { ExpansionService } from '../lists/members/expansion.service.ts';
import { PermissionService } from '../permission/permission.service.ts';
import type { Origin } from './origin.ts';

/** A recipient's envelope, sealed in base64 in two records, these in the outbox row and its statement. */
const SEALED_COPIES = 6;

/** A message at a door, not read yet. */
export interface Arrival {
  readonly domain: DomainSettings;
  readonly by: Omit<Origin, 'domain' | 'acceptedAt'>;
  /** How large it says it is; undefined: as large as the largest. */
  readonly octets: number | undefined;
  /** Reads it. `more` reserves further memory (octets), and throws ApiError 503 if there is none. */
  readonly read: (more: (octets: number) => void) => Promise<Form>;
  readonly toSubmission: (
    form: Form,
    origin: Origin,
    more: (octets: number) => void,
  ) => Submission | Promise<Submission>;
  /** Of who had said before that it comes (`ComingMessages`). */
  readonly come?: () => void;
  /** Its `Idempotency-Key`, and which of the doors it came to. */
  readonly once?: { readonly key: string; readonly door: string };
}

/** The one way in, whichever door a message comes to: room is reserved, it is read, and committed. */
@Injectable()
export class IntakeService {
  constructor(
    private readonly budget: MemoryBudget,
    private readonly lists: ExpansionService,
    private readonly permission: PermissionService,
    private readonly coming: ComingMessages,
    private readonly accept: AcceptService,
    private readonly idempotency: IdempotencyService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /**
   * What can be refused without reading the message is refused first.
   * @throws ApiError 413 if it says that it is larger than `limit` octets, 503 while too much waits for Kafka.
   */
  assertRoom(octets: number | undefined, limit: number): void {
    this.accept.assertRoom();
    if (octets !== undefined && octets > limit) throw tooLarge(this.config.MESSAGE_MAX_BYTES);
  }

  /**
   * Answers the Message-ID, without angle brackets, once the message is durable; of a repeated request that of the first.
   * @throws ApiError: 400 and 413 for the message, 403 and 429 for what the domain may not send, 409 for an Idempotency-Key of another
   * request, 503 with nothing kept of it.
   */
  take(arrival: Arrival): Promise<string> {
    const { domain, octets } = arrival;
    return this.budget.run(domain.accountId, octets, async (more) => {
      const come = arrival.come ?? this.coming.expect();
      return this.run(arrival, more, come).finally(come);
    });
  }

  private async run(
    { domain, by, read, toSubmission, once: keyed }: Arrival,
    more: (octets: number) => void,
    come: () => void,
  ): Promise<string> {
    const form = await read(more);
    const once = keyed && (await this.idempotency.once(domain, keyed.key, fingerprintOf(keyed.door, form)));
    const earlier = once && (await this.idempotency.answer(once));
    if (earlier !== undefined) return earlier;
    const acceptedAt = this.clock.now();
    const given = await toSubmission(form, { domain: domain.name, acceptedAt, ...by }, more);
    const submission = await this.lists.expand(given, domain.accountId);
    if (submission.raw.length > this.config.MESSAGE_MAX_BYTES) throw tooLarge(this.config.MESSAGE_MAX_BYTES);
    more(this.roomFor(submission));
    const claim = once && (await this.idempotency.claim(once, submission.messageIdHeader));
    const ended = await this.permission.admit(submission, domain);
    try {
      if (await this.accept.accept(submission, domain, acceptedAt, come, claim)) return submission.messageIdHeader;
    } finally {
      ended();
    }
    const faster = once && (await this.idempotency.answer(once));
    // Its day has ended this moment.
    if (faster === undefined) throw new ApiError(503, 'Temporarily unavailable, try again');
    return faster;
  }

  /** Octets of what is made of it. @throws ApiError 400 if that is more than there could ever be. */
  private roomFor(submission: Submission): number {
    const { raw, recipients } = submission;
    const envelopes = SEALED_COPIES * envelopeOctets(submission);
    if (recipients.length <= MAX_RECIPIENTS) return envelopes;
    // Each part of a message to large lists has its body sealed; that of others shares what it came with.
    const octets = envelopes + 2 * raw.length * (Math.ceil(recipients.length / MAX_RECIPIENTS) - 1);
    if (octets <= this.config.BYTES_IN_FLIGHT) return octets;
    throw new ApiError(400, 'the message is too large for so many recipients: send less of it, or use smaller lists', {
      field: 'to',
    });
  }
}

export const tooLarge = (limit: number): ApiError => new ApiError(413, `the message is larger than ${limit} octets`);
