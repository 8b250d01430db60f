import { Resolver } from 'node:dns/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@lethe/service';
import type { AccountsConfig } from '../config.ts';
import { dkimRecord } from './dkim-key-pair.ts';
import type { Domain } from './domain.entity.ts';

/** Looks whether a domain's DKIM key stands in the DNS: only who controls the zone can put it there. */
@Injectable()
export class DnsCheck {
  private readonly resolver = new Resolver({ timeout: 2_000, tries: 2 });

  constructor(@Inject(CONFIG) config: AccountsConfig) {
    if (config.DNS_SERVERS.length > 0) this.resolver.setServers(config.DNS_SERVERS);
  }

  /** `unknown` if the DNS did not answer. */
  async dkim(domain: Domain): Promise<Domain['dkimCheck']> {
    const { name } = dkimRecord(domain.name, domain.dkimSelector, domain.dkimPublicKey);
    try {
      const records = await this.resolver.resolveTxt(name);
      return records.some((chunks) => publicKeyOf(chunks.join('')) === domain.dkimPublicKey) ? 'valid' : 'invalid';
    } catch (error) {
      const { code } = error as { code?: string };
      return code === 'ENOTFOUND' || code === 'ENODATA' ? 'invalid' : 'unknown';
    }
  }
}

/** The `p=` tag of a DKIM record, RFC 6376 §3.6.1; white space in it means nothing. */
function publicKeyOf(record: string): string | undefined {
  const tag = record.split(';').find((part) => /^\s*p\s*=/.test(part));
  return tag?.slice(tag.indexOf('=') + 1).replaceAll(/\s/g, '');
}
