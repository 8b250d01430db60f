import { Injectable } from '@nestjs/common';
import { DnsClient } from '../dns/dns.client.ts';
import { countTls } from '../exchange/tls.metrics.ts';
import { StsFetcher, StsNotFetched } from './sts.fetcher.ts';
import { policyId, type StsPolicy } from './sts.policy.ts';
import { StsRepository, type KeptPolicy } from './sts.repository.ts';

/** RFC 8461 §3.3: who could not fetch a policy does not try again at once. */
const AFTER_FAILURE_MS = 300_000;
const MAX_FAILED = 10_000;

/**
 * What domains ask of those who send to them (RFC 8461). A policy that was fetched once holds for its time, whatever has become of the
 * domain's DNS or web server since: that is what protects from who is in the middle. Who keeps it in memory asks again after minutes.
 */
@Injectable()
export class StsService {
  /** Domains whose policy could not be fetched, until when nobody tries. */
  private readonly failed = new Map<string, number>();

  constructor(
    private readonly dns: DnsClient,
    private readonly fetcher: StsFetcher,
    private readonly kept: StsRepository,
  ) {}

  /** The policy for mail to the domain; undefined: it has none. Throws if the database is away: one could be kept there. */
  async policy(domain: string): Promise<Pick<StsPolicy, 'mode' | 'mx'> | undefined> {
    const [kept, id] = await Promise.all([this.kept.use(domain), this.announced(domain)]);
    if (id === undefined || (kept?.id === id && !kept.ageing)) return kept;
    return (await this.fetch(domain, id)) ?? kept;
  }

  /** Fetches a policy again, long before it expires (§10.2). */
  async refresh(domain: string): Promise<void> {
    const id = await this.announced(domain);
    if (id !== undefined) await this.fetch(domain, id);
  }

  private async fetch(domain: string, id: string): Promise<Pick<KeptPolicy, 'mode' | 'mx'> | undefined> {
    if ((this.failed.get(domain) ?? 0) > Date.now()) return undefined;
    let policy: StsPolicy;
    try {
      policy = await this.fetcher.fetch(domain);
    } catch (error) {
      if (!(error instanceof StsNotFetched)) throw error;
      countTls('sts', error.fault);
      this.failed.delete(domain);
      this.failed.set(domain, Date.now() + AFTER_FAILURE_MS);
      if (this.failed.size > MAX_FAILED) this.failed.delete(this.failed.keys().next().value as string);
      return undefined;
    }
    this.failed.delete(domain);
    await this.kept.keep(domain, id, policy);
    return policy;
  }

  /** The id of the policy that DNS speaks of; undefined if it speaks of none, or says nothing. */
  private async announced(domain: string): Promise<string | undefined> {
    try {
      const { data } = await this.dns.ask(`_mta-sts.${domain}`, 'TXT');
      return policyId(data.map((strings) => Buffer.concat(strings).toString('latin1')));
    } catch {
      return undefined;
    }
  }
}
