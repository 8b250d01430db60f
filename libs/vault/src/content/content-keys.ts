import { Batcher } from '@lethe/service';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import { ForgottenError, VaultUnavailableError } from '../errors.ts';
import { held } from '../keys/key-cache.ts';
import type { KeyCache } from '../keys/key-cache.ts';
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
    private readonly trusted: { now: () => boolean; regained: () => Promise<void> },
    limits: LoaderLimits,
  ) {
    this.batcher = new Batcher(
      { maxItems: limits.batch, maxQueued: limits.queued, lingerMs: 0, concurrency: 2 },
      (wanted) => this.load(wanted),
    );
  }

  /** One call for all. Repeating it for a message answers the same key. */
  async create(messages: ContentKeyOf[]): Promise<Buffer[]> {
    await this.trusted.regained();
    const load = this.cache.beginLoad();
    try {
      const offers = new Map(
        messages.map((message) => [message.messageId, { ...message, ...this.keyWrap.generate() }]),
      );
      const offered = [...offers.values()];
      const rows = await this.database.call<KeyRow>('create_content_keys', [
        offered.map(({ messageId }) => messageId),
        offered.map(({ dropAt }) => dropAt),
        offered.map(({ wrapped }) => wrapped),
      ]);
      const keys = new Map(
        rows.map(({ message, secret: inForce }) => {
          const offer = offers.get(message);
          return [message, offer?.wrapped.equals(inForce) ? offer.secret : this.keyWrap.unwrap(inForce)];
        }),
      );
      return messages.map((message) => {
        const key = keys.get(message.messageId);
        if (key === undefined) throw new ForgottenError('message');
        if (load.fresh() && !load.revoked('message', message.messageId)) this.keep(message, key);
        return Buffer.from(key);
      });
    } finally {
      load.end();
    }
  }

  /** The caller's own copy: it may be cleared after use. */
  async get(message: ContentKeyOf): Promise<Buffer> {
    const cached = this.trusted.now() ? this.cache.contentKeys.get(message.messageId) : undefined;
    if (cached !== undefined && cached.dropAt === message.dropAt.getTime() && Date.now() < cached.dropAt) {
      return Buffer.from(cached.bytes);
    }
    return this.batcher.add(message);
  }

  private async load(wanted: ContentKeyOf[]): Promise<(Buffer | Error)[]> {
    await this.trusted.regained();
    const load = this.cache.beginLoad();
    try {
      const rows = await this.database.call<KeyRow>('read_content_keys', [
        wanted.map(({ messageId }) => messageId),
        wanted.map(({ dropAt }) => dropAt),
      ]);
      if (!load.fresh()) throw new VaultUnavailableError('its revocations interrupted');
      const keys = new Map(rows.map(({ message, secret }) => [message, secret]));
      return wanted.map((message) => {
        const wrapped = keys.get(message.messageId);
        if (wrapped === undefined || load.revoked('message', message.messageId)) return new ForgottenError('message');
        const key = this.keyWrap.unwrap(wrapped);
        this.keep(message, key);
        return Buffer.from(key);
      });
    } finally {
      load.end();
    }
  }

  private keep({ messageId, dropAt }: ContentKeyOf, key: Buffer): void {
    this.cache.contentKeys.set(messageId, { ...held(key), dropAt: dropAt.getTime() });
  }
}
