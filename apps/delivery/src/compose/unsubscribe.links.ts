import { Inject, Injectable } from '@nestjs/common';
import { recordId, type Envelope, type MailAccepted, type UnsubscribeLink } from '@lethe/contracts';
import { CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { DeliveryConfig } from '../config.ts';

/** Octets of address and Message-ID that a link has room for: routers take path segments of 1,024. */
const ROOM = 300;

/**
 * Where a recipient unsubscribes (RFC 8058). What the link says is sealed under their key: nobody else reads it, nobody makes another
 * one, and once they are erased it leads nowhere.
 */
@Injectable()
export class UnsubscribeLinks {
  constructor(
    private readonly vault: Vault,
    @Inject(CONFIG) private readonly config: DeliveryConfig,
  ) {}

  async of(record: MailAccepted, { address, messageIdHeader }: Envelope): Promise<string> {
    const { accountId: account, domainId, messageId, ordinal, recipient } = record;
    const isLong = address.length + messageIdHeader.length > ROOM;
    const link: UnsubscribeLink = { address, domainId, messageIdHeader: isLong ? '' : messageIdHeader };
    const seal = { account, subject: recipient.subject, period: 'standing' } as const;
    const jwe = await this.vault.seal(
      { ...seal, type: 'unsubscribe-link', recordId: recordId(messageId, ordinal) },
      link,
    );
    // Its second part is always empty: two dots in a row are no shape for a link.
    return `${this.config.PUBLIC_URL}/unsubscribe/${jwe.replace('..', '.')}`;
  }
}
