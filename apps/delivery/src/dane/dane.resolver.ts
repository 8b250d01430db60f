import type { DnsClient } from '../dns/dns.client.ts';
import type { HostAddresses } from '../dns/mx.resolver.ts';
import { usable, type TlsaRecord } from './tlsa.records.ts';

/** What DNS says about how an exchanger is authenticated. */
export type Dane =
  /** Nothing that DNSSEC vouches for. */
  | { kind: 'none' }
  /** Something, and none of it can be used: TLS it must be, with whatever certificate (RFC 7672 §2.2). */
  | { kind: 'unusable' }
  | { kind: 'usable'; records: TlsaRecord[]; base: string }
  /** It could not be asked: no word is said to that host (§2.1.2). */
  | { kind: 'failed' };

/** Finds the TLSA records of exchangers whose domain and addresses DNSSEC vouches for. */
export class DaneResolver {
  constructor(private readonly dns: DnsClient) {}

  /** `addresses`: those of the host as they were found. Never throws. */
  async find(host: string, port: number, addresses: HostAddresses): Promise<Dane> {
    try {
      for (const base of await this.bases(host, addresses)) {
        const { data, secure } = await this.dns.ask(`_${port}._tcp.${base}`, 'TLSA');
        if (!secure || data.length === 0) continue;
        const records = usable(data);
        return records.length > 0 ? { kind: 'usable', records, base } : { kind: 'unusable' };
      }
      return { kind: 'none' };
    } catch {
      return { kind: 'failed' };
    }
  }

  /**
   * Whose records count (RFC 7672 §2.2.2 f.): those of the name that aliases lead to, then those of the host's own. Where the addresses
   * are not signed nobody is asked, since servers of such zones may not answer at all; but for an alias that is itself signed.
   */
  private async bases(host: string, { owner, secure }: HostAddresses): Promise<string[]> {
    if (secure) return [...new Set([owner, host])];
    if (owner === host) return [];
    const alias = await this.dns.ask(host, 'CNAME');
    return alias.secure && alias.data.length > 0 ? [host] : [];
  }
}
