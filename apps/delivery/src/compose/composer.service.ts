import { isAscii } from 'node:buffer';
import { Inject, Injectable } from '@nestjs/common';
import { BodyStore, openBody } from '@lethe/bodies';
import type { DomainSettings, Envelope, MailAccepted } from '@lethe/contracts';
import { splitMessage } from '@lethe/mail';
import { CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { DeliveryConfig } from '../config.ts';
import { dataBlock, type DataBlock } from '../smtp/transmission.ts';
import { DkimSigner } from './dkim-signer.ts';
import { SharedCache } from './shared-cache.ts';
import { receivedHeader } from './trace.ts';

/** How long a composed message waits for its next recipient. */
const KEEP_MS = 30_000;

/** A message as it goes over the wire. */
export interface Composed {
  data: DataBlock;
  /** Its header is not ASCII (RFC 6532). */
  utf8: boolean;
}

/**
 * A message as it is sent: trace and signature before the accepted message, which is not touched. Read, opened and signed
 * once for all its recipients that are sent at about the same time.
 */
@Injectable()
export class ComposerService {
  private readonly composed: SharedCache<Composed>;

  constructor(
    private readonly vault: Vault,
    private readonly bodies: BodyStore,
    private readonly signer: DkimSigner,
    @Inject(CONFIG) private readonly config: DeliveryConfig,
  ) {
    this.composed = new SharedCache(config.MESSAGE_CACHE_BYTES, KEEP_MS, ({ data }) => data.bytes.length);
  }

  /** Throws ForgottenError if the message is gone, also when it is still in memory. */
  async compose(record: MailAccepted, envelope: Envelope, domain: DomainSettings): Promise<Composed> {
    const key = await this.vault.contentKey(record.messageId, new Date(record.dropAt));
    return this.composed.get(record.messageId, () => this.make(record, envelope, domain, key));
  }

  private async make(
    record: MailAccepted,
    { bodyHash }: Envelope,
    domain: DomainSettings,
    key: Buffer,
  ): Promise<Composed> {
    const sealed = await this.bodies.read(record.messageId, new Date(record.dropAt));
    const message = openBody(key, record.messageId, sealed);
    const { header } = splitMessage(message);
    const parts = [receivedHeader(record, this.config.EHLO_NAME), message];
    if (record.dkim) parts.splice(1, 0, ...(await this.signer.sign(header, bodyHash, domain)));
    return { data: dataBlock(parts), utf8: !isAscii(header) };
  }
}
