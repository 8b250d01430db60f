import { Batcher } from '@lethe/service';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import { ForgottenError } from '../errors.ts';
import { held } from '../keys/key-cache.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { KeySource } from '../keys/key-source.ts';
import type { LoaderLimits } from '../keys/secret-loader.ts';
import type { VaultDatabase } from '../keys/vault-database.ts';

/** `dropAt`: when body and key are dropped; a bucket boundary (`dropTime` of `@lethe/bodies`). */
export interface ContentKeyOf {
  messageId: string;
  dropAt: Date;
}

interface KeyRow {
  message: string;
  secret: Buffer;
}

/** One random key per message body: destroying it destroys the body wherever a copy of the ciphertext may be. */
export class ContentKeys {
  private readonly batcher: Batcher<ContentKeyOf, Buffer>;

  constructor(
    private readonly database: VaultDatabase,
    private readonly cache: KeyCache,
    private readonly keyWrap: KeyWrap,
    private readonly source: KeySource,
    limits: LoaderLimits,
  ) {
    this.batcher = new Batcher(
      { maxItems: limits.batch, maxQueued: limits.queued, lingerMs: 0, concurrency: 1 },
      (wanted) => this.load(wanted),
    );
  }

  /** One call for all. Repeating it for a message answers the same key. */
  create(messages: ContentKeyOf[]): Promise<Buffer[]> {
    const offers = new Map(messages.map((message) => [message.messageId, { ...message, ...this.keyWrap.generate() }]));
    const offered = [...offers.values()];
    return this.source.load(
      () =>
        this.database.call<KeyRow>('create_content_keys', [...columns(offered), offered.map(({ wrapped }) => wrapped)]),
      (rows, revoked) => {
        const inForce = new Map(rows.map(({ message, secret }) => [message, secret]));
        return messages.map((message) => {
          const wrapped = inForce.get(message.messageId);
          if (wrapped === undefined || revoked('message', message.messageId)) throw new ForgottenError('message');
          const offer = offers.get(message.messageId);
          return this.keep(message, offer?.wrapped.equals(wrapped) ? offer.secret : this.keyWrap.unwrap(wrapped));
        });
      },
    );
  }

  /** The caller's own copy: it may be cleared after use. */
  async get(message: ContentKeyOf): Promise<Buffer> {
    const cached = this.source.trusted() ? this.cache.contentKeys.get(message.messageId) : undefined;
    if (cached !== undefined && cached.dropAt === message.dropAt.getTime() && Date.now() < cached.dropAt) {
      return Buffer.from(cached.bytes);
    }
    return this.batcher.add(message);
  }

  /**
   * For bodies that name someone erased while others still wait for theirs: from now on their keys are answered to delivery alone,
   * until `privacy` destroys them. What is not there (any more) is left out.
   */
  async condemn(requestId: string, messages: readonly ContentKeyOf[]): Promise<void> {
    await this.database.call('condemn_content_keys', [requestId, ...columns(messages)]);
  }

  /** What is not there (any more) is left out. */
  async giveUp(messages: readonly ContentKeyOf[]): Promise<void> {
    await this.database.call('give_up_content_keys', columns(messages));
  }

  private load(wanted: ContentKeyOf[]): Promise<(Buffer | Error)[]> {
    return this.source.load(
      () => this.database.call<KeyRow>('read_content_keys', columns(wanted)),
      (rows, revoked) => {
        const keys = new Map(rows.map(({ message, secret }) => [message, secret]));
        return wanted.map((message) => {
          const wrapped = keys.get(message.messageId);
          if (wrapped === undefined || revoked('message', message.messageId)) return new ForgottenError('message');
          return this.keep(message, this.keyWrap.unwrap(wrapped));
        });
      },
    );
  }

  /** The cache has a copy of its own, because it zeroes what leaves. */
  private keep({ messageId, dropAt }: ContentKeyOf, key: Buffer): Buffer {
    this.cache.contentKeys.set(messageId, { ...held(Buffer.from(key)), dropAt: dropAt.getTime() });
    return key;
  }
}

/** As the vault's functions take them. */
export const columns = (messages: readonly ContentKeyOf[]): [string[], Date[]] => [
  messages.map(({ messageId }) => messageId),
  messages.map(({ dropAt }) => dropAt),
];
