import { Injectable } from '@nestjs/common';
import { BodyStore, dropTime, openStream } from '@lethe/bodies';
import { recordId, type DomainSettings, type Envelope } from '@lethe/contracts';
import { ApiError, Clock, Log } from '@lethe/service';
import { FORGOTTEN, ForgottenError, Vault } from '@lethe/vault';
import { StoredRepository, type SealedEnvelope, type Shelf, type StoredMessage } from './stored.repository.ts';

const DAY = 24 * 3_600_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** No message has it: a v7 UUID carries a time. */
const NOBODYS = '00000000-0000-0000-0000-000000000000';

/** What a message's envelopes say, as far as they can still be opened. */
export interface Envelopes {
  readonly recipients: readonly string[];
  readonly tags: readonly string[];
  readonly template?: Envelope['template'];
}

/**
 * Messages as their account may see them again. What is not there, is another account's, past its time, removed, or whose
 * content key is gone is one and the same: `notFound`, after the same questions to the same stores.
 */
@Injectable()
export class StoredService {
  constructor(
    private readonly stored: StoredRepository,
    private readonly bodies: BodyStore,
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /**
   * The message behind a storage key, if its content can be opened this moment.
   * @throws ApiError 404, the same for every reason.
   */
  async find(key: string, domain: DomainSettings): Promise<StoredMessage> {
    const id = UUID.test(key) ? key : NOBODYS;
    const found = await this.stored.find(id, this.shelfOf(domain));
    // Also for one that is not there: the time of a refusal tells nothing.
    const { id: messageId, dropAt } = found ?? { id, dropAt: dropTime(new Date(this.clock.now())) };
    await orNotFound(this.vault.contentKey(messageId, dropAt));
    if (!found) throw notFound();
    return found;
  }

  /**
   * The message as it was accepted.
   * @throws ApiError 404 if it went meanwhile.
   */
  raw({ id, dropAt }: StoredMessage): Promise<Buffer> {
    const read = async (): Promise<Buffer> => {
      const key = await this.vault.contentKey(id, dropAt);
      const segments: Buffer[] = [];
      for await (const segment of openStream(key, id, this.bodies.stream(id, dropAt))) segments.push(segment);
      return segments.length === 1 ? (segments[0] as Buffer) : Buffer.concat(segments);
    };
    return orNotFound(read());
  }

  async envelopes({ id }: StoredMessage, { accountId: account }: DomainSettings): Promise<Envelopes> {
    const recipients: string[] = [];
    let tags: readonly string[] = [];
    let template: Envelope['template'];
    for (let after: number | undefined = -1; after !== undefined;) {
      const sealed: SealedEnvelope[] = await this.stored.envelopes(id, after);
      const opened = await this.vault.openMany<Envelope>(
        sealed.map(({ ordinal, envelope }) => ({
          jwe: envelope,
          expected: { account, type: 'envelope', recordId: recordId(id, ordinal) },
        })),
      );
      for (const envelope of opened) {
        if (envelope === FORGOTTEN) continue;
        recipients.push(envelope.address);
        // Everybody's are the same.
        ({ tags, template } = envelope);
      }
      after = sealed.at(-1)?.ordinal;
    }
    return { recipients, tags, ...(template ? { template } : {}) };
  }

  /**
   * Once it resolves nobody reads the message here any more. Its content key is given up after that (`RemovalWorker`): at once
   * for every reader but delivery, for good when everybody it was accepted for has got it or cannot (decision 0012).
   * @throws ApiError 404, also when it is removed again.
   */
  async remove(key: string, domain: DomainSettings): Promise<void> {
    const { id } = await this.find(key, domain);
    if (!(await this.stored.remove(id, this.shelfOf(domain)))) throw notFound();
    this.log.info('stored.removed', { messageId: id });
  }

  private shelfOf({ accountId, domainId, bodiesDays }: DomainSettings): Shelf {
    return { accountId, domainId, since: new Date(this.clock.now() - bodiesDays * DAY) };
  }
}

async function orNotFound<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw error instanceof ForgottenError ? notFound() : error;
  }
}

/** Mailgun's words. */
export const notFound = (): ApiError => new ApiError(404, 'Message not found');
