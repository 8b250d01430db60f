import { isAscii } from 'node:buffer';
import { Inject, Injectable } from '@nestjs/common';
import { BodyStore, openBody } from '@lethe/bodies';
import type { DomainSettings, Envelope, MailAccepted } from '@lethe/contracts';
import { dkimBodyHash, MailMerge, sevenBit, splitMessage, unsubscribeLines } from '@lethe/mail';
import { CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { DeliveryConfig } from '../config.ts';
import { dataBlock, type DataBlock } from '../smtp/transmission.ts';
import { DkimSigner } from './dkim-signer.ts';
import { SharedCache } from './shared-cache.ts';
import { feedbackHeader, NO_HEADER, receivedHeader } from './trace.ts';
import { UnsubscribeLinks } from './unsubscribe.links.ts';

/** How long a composed message waits for its next recipient. */
const KEEP_MS = 30_000;
/** Beside the one it is made from: written, and as what is sent. */
const OWN_COPIES = 3;
/** Of a message that is made seven bits: read again, its pieces as they are encoded, as a message, and as what is sent. */
const CONVERTED_COPIES = 4;
/** What ingest lets values add (`recipient.variables.ts`), and links, in base64, twice. */
const OWN_GROWTH = 1_024 * 1_024;

/** A message as it goes over the wire. */
export interface Composed {
  data: DataBlock;
  /** Its header is not ASCII (RFC 6532). */
  utf8: boolean;
  /** The same in ASCII, with a signature of its own; undefined: it cannot be said in ASCII. Absent where it is ASCII. */
  sevenBit?: () => Promise<DataBlock | undefined>;
}

/**
 * A message as it is sent: trace and signature before the accepted message, which is not touched. Read, opened and signed
 * once for all its recipients that are sent at about the same time; where each gets one of their own (`recipient-variables`, a link to
 * unsubscribe by), read and opened once, and written and signed for each.
 */
@Injectable()
export class ComposerService {
  private readonly shared: SharedCache<Composed>;
  private readonly converted: SharedCache<DataBlock | undefined>;
  private readonly merges: SharedCache<{ merge: MailMerge; size: number }>;

  constructor(
    private readonly vault: Vault,
    private readonly bodies: BodyStore,
    private readonly signer: DkimSigner,
    private readonly links: UnsubscribeLinks,
    @Inject(CONFIG) private readonly config: DeliveryConfig,
  ) {
    this.shared = new SharedCache(config.MESSAGE_CACHE_BYTES, KEEP_MS, ({ data }) => data.bytes.length);
    this.converted = new SharedCache(config.MESSAGE_CACHE_BYTES, KEEP_MS, (data) => data?.bytes.length ?? 0);
    this.merges = new SharedCache(config.MESSAGE_CACHE_BYTES, KEEP_MS, ({ size }) => size);
  }

  /** Octets that composing it for one recipient takes at most: of their own message the text may be encoded anew, and grow. */
  octetsOf({ size, recipient: { role }, unsubscribe }: MailAccepted): number {
    return role === 'each' || unsubscribe ? OWN_COPIES * size + OWN_GROWTH : size;
  }

  /** Octets that making it seven bits takes besides. */
  octetsOfConversion({ size }: MailAccepted): number {
    return CONVERTED_COPIES * size;
  }

  /** Throws ForgottenError if the message is gone, also when it is still in memory. */
  async compose(record: MailAccepted, envelope: Envelope, domain: DomainSettings): Promise<Composed> {
    const key = await this.vault.contentKey(record.messageId, new Date(record.dropAt));
    const { address, name, bodyHash, recipientVariables: variables } = envelope;
    const url = record.unsubscribe ? await this.links.of(record, envelope) : undefined;
    if (!variables && url === undefined) {
      const shared = await this.shared.get(record.messageId, async () =>
        this.finish(await this.open(record, key), bodyHash, record, domain),
      );
      if (!shared.data.eightBit) return shared;
      const convert = async (): Promise<DataBlock | undefined> =>
        this.convert(await this.open(record, key), record, domain);
      return { ...shared, sevenBit: () => this.converted.get(record.messageId, convert) };
    }
    const { merge } = await this.merges.get(record.messageId, async () => {
      const message = await this.open(record, key);
      return { merge: new MailMerge(message, variables ? 'each' : 'shared'), size: message.length };
    });
    const unsubscribe = url === undefined ? {} : { unsubscribeUrl: url };
    const message = merge.for({ address, name, variables: variables ?? {}, ...unsubscribe });
    const own = await this.finish(message, merge.changesBody ? dkimBodyHash(message) : bodyHash, record, domain, url);
    return own.data.eightBit ? { ...own, sevenBit: () => this.convert(message, record, domain, url) } : own;
  }

  private async convert(
    message: Buffer,
    record: MailAccepted,
    domain: DomainSettings,
    unsubscribeUrl?: string,
  ): Promise<DataBlock | undefined> {
    const ascii = sevenBit(message);
    if (ascii === undefined) return undefined;
    return (await this.finish(ascii, dkimBodyHash(ascii), record, domain, unsubscribeUrl)).data;
  }

  private async open(record: MailAccepted, key: Buffer): Promise<Buffer> {
    return openBody(key, record.messageId, await this.bodies.read(record.messageId, new Date(record.dropAt)));
  }

  private async finish(
    message: Buffer,
    bodyHash: string,
    record: MailAccepted,
    domain: DomainSettings,
    unsubscribeUrl?: string,
  ): Promise<Composed> {
    const { header } = splitMessage(message);
    // The signature covers them (RFC 8058 §4), or anybody could put in others.
    const added = Buffer.concat([
      feedbackHeader(record, header),
      unsubscribeUrl === undefined ? NO_HEADER : unsubscribeLines(header, unsubscribeUrl),
    ]);
    const signatures = record.dkim ? await this.signer.sign(Buffer.concat([added, header]), bodyHash, domain) : [];
    const parts = [receivedHeader(record, this.config.EHLO_NAME), ...signatures, added, message];
    return { data: dataBlock(parts), utf8: !isAscii(header) };
  }
}
