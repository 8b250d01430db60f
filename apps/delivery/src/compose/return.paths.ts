import { createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DomainSettings, MailAccepted } from '@lethe/contracts';
import { canonicalDomain, makeReturnPath } from '@lethe/mail';
import { CONFIG } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';

/** In a host name, for the domain that mail is sent from. */
const DOMAIN = '{domain}';
/** RFC 5321 §4.5.3.1.3 has 256 octets for a path, with its angle brackets. */
const MAX_OCTETS = 254;

/** Whether this can be `RETURN_PATH_HOST`. The domain stands for whole labels: with `bounce-{domain}` mail would go to a domain of others. */
export function isReturnPathHost(text: string): boolean {
  const host = text.replace(/(?<=^|\.)\{domain\}(?=\.|$)/, 'example.com');
  return canonicalDomain(host) === host;
}

/** Where mail is returned to that was taken by a server and could not be delivered after all: an address for each message and recipient. */
@Injectable()
export class ReturnPaths {
  private readonly host: string | undefined;
  private readonly key: KeyObject | undefined;

  constructor(@Inject(CONFIG) config: Pick<DeliveryConfig, 'RETURN_PATH_HOST' | 'RETURN_PATH_KEY'>) {
    this.host = config.RETURN_PATH_HOST;
    this.key = config.RETURN_PATH_KEY === undefined ? undefined : createSecretKey(config.RETURN_PATH_KEY, 'hex');
  }

  /** Undefined: there is none, or, of a sending domain with a very long name, it would be too long. */
  of(
    { messageId, ordinal }: Pick<MailAccepted, 'messageId' | 'ordinal'>,
    domain: Pick<DomainSettings, 'name'>,
  ): string | undefined {
    if (this.host === undefined || this.key === undefined) return undefined;
    const path = `${makeReturnPath(this.key, { messageId, ordinal })}@${this.host.replace(DOMAIN, domain.name)}`;
    return path.length <= MAX_OCTETS ? path : undefined;
  }
}
