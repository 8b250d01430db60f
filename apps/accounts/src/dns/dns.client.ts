import { Resolver } from 'node:dns/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@lethe/service';
import type { AccountsConfig } from '../config.ts';

/** The DNS gave no answer: nothing is known, which is not the same as "not there". */
export class DnsSilence extends Error {
  override readonly name = 'DnsSilence';
}

/** Answers that say "there is no such thing"; of a name that cannot be asked for, too. */
const ABSENT = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/** Asks the configured DNS servers, or the system's. Every question ends within seconds; what is absent is an empty list. */
@Injectable()
export class DnsClient {
  private readonly resolver = new Resolver({ timeout: 2_000, tries: 2 });

  constructor(@Inject(CONFIG) config: AccountsConfig) {
    if (config.DNS_SERVERS.length > 0) this.resolver.setServers(config.DNS_SERVERS);
  }

  /** One text a record: its strings belong together without a gap (RFC 7208 §3.3). Throws DnsSilence. */
  async txt(name: string): Promise<string[]> {
    const records = await answered(this.resolver.resolveTxt(name));
    return records.map((strings) => strings.join(''));
  }

  /** Throws DnsSilence. */
  cname(name: string): Promise<string[]> {
    return answered(this.resolver.resolveCname(name));
  }

  /** Names of the exchangers. Throws DnsSilence. */
  async mx(name: string): Promise<string[]> {
    const records = await answered(this.resolver.resolveMx(name));
    return records.map(({ exchange }) => exchange);
  }
}

async function answered<T>(question: Promise<T[]>): Promise<T[]> {
  try {
    return await question;
  } catch (error) {
    if (ABSENT.has((error as { code?: string }).code ?? '')) return [];
    throw new DnsSilence('The DNS did not answer');
  }
}
