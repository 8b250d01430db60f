import { randomUUIDv7, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { periodOf, type DomainSettings, type QueuedMessage } from '@lethe/contracts';
import { Clock, otherRequest } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { IdempotencyRepository } from './idempotency.repository.ts';

/** A request under a key, by keyed hashes: neither the key nor what came with it is kept. */
export interface Once {
  readonly domain: DomainSettings;
  readonly keyHash: Buffer;
  readonly requestHash: Buffer;
}

/** The same with what it is answered with, to be kept in the transaction of its message. */
export interface Claim extends Once {
  readonly id: string;
  /** Sealed. */
  readonly answer: string;
}

/**
 * `Idempotency-Key`: the same request again is answered with the id of the first and sends nothing, for a day. What is refused keeps no
 * key. A repetition that comes while the first is under way waits for its commit (the draft, §2.7, would have it refused with 409).
 */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly kept: IdempotencyRepository,
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  async once(domain: DomainSettings, key: string, fingerprint: string): Promise<Once> {
    const hash = (purpose: string, text: string): Promise<Buffer> =>
      this.vault.keyedHash(domain.accountId, purpose, text);
    const [keyHash, requestHash] = await Promise.all([
      hash('message-idempotency-key', key),
      hash('message-idempotency-request', fingerprint),
    ]);
    return { domain, keyHash, requestHash };
  }

  /**
   * The Message-ID of the first request, without angle brackets; undefined: this is the first.
   * @throws ApiError 409 where the key came with another request.
   */
  async answer(once: Once): Promise<string | undefined> {
    const kept = await this.kept.find(once);
    if (!kept) return undefined;
    if (!timingSafeEqual(kept.requestHash, once.requestHash)) throw otherRequest();
    const expected = { account: once.domain.accountId, type: 'queued-message', recordId: kept.id };
    return (await this.vault.openForAccount<QueuedMessage>(kept.answer, expected)).messageIdHeader;
  }

  /** Under a key that outlives the row by some days: the customer may have typed the id. */
  async claim(once: Once, messageIdHeader: string): Promise<Claim> {
    const id = randomUUIDv7();
    const answer: QueuedMessage = { messageIdHeader };
    const period = periodOf('e3', this.clock.now());
    const seal = { account: once.domain.accountId, period, type: 'queued-message', recordId: id };
    return { ...once, id, answer: await this.vault.sealForAccount(seal, answer) };
  }
}
