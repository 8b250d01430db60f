import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { ApiError, Clock, CONFIG, type Answer, type Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { z } from 'zod';
import { ClosingsRepository } from '../closings/closings.repository.ts';
import type { PrivacyConfig } from '../config.ts';
import { dueDate } from './due-date.ts';
import { type Claim, IdempotencyService } from './idempotency.service.ts';
import type { NewRequest } from './request.form.ts';
import { RequestReader } from './request.reader.ts';
import { requestShape, type RequestView } from './request.view.ts';
import { type Identifier, type ReceivedRequest, RequestRepository } from './request.repository.ts';
import { StopPolicy } from './stop.policy.ts';
import { TypedTexts } from './typed.texts.ts';

const SALT_BYTES = 32;
const TOO_MANY = new ApiError(
  429,
  'Too many requests are unfinished: wait for some, or put subjects together (5,000 in one)',
  {
    retryAfterSeconds: 30,
  },
);

/** With the salts of its subjects, in their order. */
export const orderedRequest = requestShape.extend({ salts: z.array(z.string()).nullable() });
type OrderedRequest = Answer<typeof orderedRequest>;

/** Takes and calls off requests. Addresses become pseudonyms and salted digests here, and go no further. */
@Injectable()
export class RequestsService {
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly requests: RequestRepository,
    private readonly closings: ClosingsRepository,
    private readonly reader: RequestReader,
    private readonly texts: TypedTexts,
    private readonly idempotency: IdempotencyService,
    private readonly stops: StopPolicy,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  /** Called after each new request. */
  onReceived(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Answers the request with its salts, which nobody is told again but who repeats the order under the same key. */
  async order(caller: Identity, wish: NewRequest, key: string | undefined): Promise<OrderedRequest> {
    const { account } = caller;
    if ((await this.closings.of(account)) !== undefined) throw new ApiError(409, 'The account is closed');
    const claim = key === undefined ? undefined : await this.idempotency.claimOf(account, key, wish);
    const repeated = claim && (await this.repeated(account, claim));
    if (repeated) return repeated;
    const salts = wish.subjects.map(() => randomBytes(SALT_BYTES));
    const request = await this.received(caller, wish, salts);
    const told = salts.map((salt) => salt.toString('base64url'));
    if (!(await this.save(request, claim, told))) {
      const faster = claim && (await this.repeated(account, claim));
      if (!faster) throw new ApiError(503, 'Temporarily unavailable, try again');
      return faster;
    }
    for (const listener of this.listeners) listener();
    return { ...(await this.reader.show(account, request.id)), salts: told };
  }

  /** Calls off what has not begun. Throws ApiError 404, 409. */
  async cancel(caller: Identity, id: string): Promise<RequestView> {
    const { account } = caller;
    await this.reader.record(account, id);
    if (!(await this.requests.cancel(account, id, new Date(this.clock.now()), byKey(caller)))) {
      throw new ApiError(409, 'Only a request that is still received can be cancelled');
    }
    return this.reader.show(account, id);
  }

  private async repeated(account: string, claim: Claim): Promise<OrderedRequest | undefined> {
    const repeated = await this.idempotency.find(account, claim);
    if (!repeated) return undefined;
    return { ...(await this.reader.show(account, repeated.requestId)), salts: repeated.salts };
  }

  private async received(caller: Identity, wish: NewRequest, salts: readonly Buffer[]): Promise<ReceivedRequest> {
    const { account: accountId } = caller;
    const id = randomUUIDv7();
    const identifiers = await this.identify(accountId, wish, salts);
    this.checkStops(accountId, wish, identifiers);
    const receivedAt = new Date(this.clock.now());
    return {
      id,
      accountId,
      type: wish.type,
      subjects: wish.subjects.length,
      doNotContact: wish.do_not_contact ?? 'default',
      overrideReason: await this.texts.seal(accountId, id, 'override_reason', wish.override_reason),
      reference: await this.texts.seal(accountId, id, 'reference', wish.reference),
      referenceHash: await this.texts.referenceHash(accountId, wish.reference),
      receivedAt,
      dueAt: dueDate(receivedAt),
      by: byKey(caller),
      identifiers,
    };
  }

  private async identify(account: string, { subjects }: NewRequest, salts: readonly Buffer[]): Promise<Identifier[]> {
    const forms = subjects.flatMap(({ address, aliases }, subject) =>
      [address, ...aliases].map((form, identifier) => ({ form, subject, identifier })),
    );
    const pseudonyms = await this.vault.pseudonyms(
      account,
      forms.map(({ form }) => form),
    );
    return forms.map(({ form, subject, identifier }, index) => ({
      subject,
      identifier,
      pseudonym: pseudonyms[index] as Buffer,
      digest: digest(salts[subject] as Buffer, form),
    }));
  }

  /** What somebody said themselves is not undone without a word why. */
  private checkStops(account: string, wish: NewRequest, identifiers: readonly Identifier[]): void {
    if (wish.do_not_contact !== 'remove' || wish.override_reason !== undefined) return;
    if (!this.stops.fresh) throw new ApiError(503, 'Temporarily unavailable, try again');
    const pseudonyms = identifiers.map(({ pseudonym }) => pseudonym);
    if (this.stops.anyStopped(account, pseudonyms)) {
      throw new ApiError(400, 'override_reason: is needed, because a subject has said that they want no more mail', {
        field: 'override_reason',
      });
    }
  }

  /** False, with nothing saved, if an order with the same key was faster. */
  private async save(request: ReceivedRequest, claim: Claim | undefined, salts: readonly string[]): Promise<boolean> {
    const { id, accountId } = request;
    const receipt = claim && (await this.idempotency.seal(accountId, id, salts));
    const late = new Error('an order with the same key was faster');
    try {
      await this.database.withClientTransaction(async (client) => {
        if ((await this.requests.unfinished(client, accountId)) >= this.config.REQUESTS_UNFINISHED_MAX) throw TOO_MANY;
        await this.requests.insert(client, request);
        if (claim && receipt && !(await this.idempotency.claim(client, accountId, claim, id, receipt))) throw late;
      });
      return true;
    } catch (error) {
      if (error === late) return false;
      throw error;
    }
  }
}

const byKey = ({ keyId }: Identity): string => `key …${keyId.slice(-4)}`;

const digest = (salt: Buffer, form: string): Buffer => createHash('sha256').update(salt).update(form, 'utf8').digest();
