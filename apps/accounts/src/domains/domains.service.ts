import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { EncodedRecord } from '@lethe/kafka';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import type { AccountsConfig } from '../config.ts';
import { DkimKeyRow } from '../dkim/dkim-key.entity.ts';
import { DkimKeyFactory } from '../dkim/dkim-key.factory.ts';
import { keysOf } from '../dkim/keys-of.ts';
import { signingKey, takesOver } from '../dkim/signing.policy.ts';
import { DnsCheck } from '../dns/dns-check.ts';
import { dkimRecords, receivingRecords, recordKey, sendingRecords, type Check } from '../dns/dns-records.ts';
import { inZone } from '../sandbox/sandbox-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { Domain } from './domain.entity.ts';
import { domainNotFound, ownDomain } from './own-domain.ts';

export interface DomainPage {
  limit: number;
  skip: number;
  state?: Domain['state'] | undefined;
  /** Part of a name. */
  search?: string | undefined;
  /** The domain under whose name mail is signed: every domain is its own. */
  authority?: string | undefined;
  descending: boolean;
}

/** A domain with its DKIM keys, oldest first. */
export interface WholeDomain {
  domain: Domain;
  keys: DkimKeyRow[];
}

@Injectable()
export class DomainsService {
  constructor(
    @Inject(CONFIG) private readonly config: AccountsConfig,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly dkimKeys: DkimKeyFactory,
    private readonly settings: SettingsPublisher,
    private readonly dns: DnsCheck,
  ) {}

  /** In the order of names, and how many there are in all. */
  list(caller: Identity, page: DomainPage): Promise<[Domain[], number]> {
    const found = this.database.dataSource.manager
      .createQueryBuilder(Domain, 'domain')
      .where({ accountId: caller.account })
      .orderBy('domain.name', page.descending ? 'DESC' : 'ASC')
      .take(page.limit)
      .skip(page.skip);
    if (page.state !== undefined) found.andWhere({ state: page.state });
    if (page.authority !== undefined) found.andWhere({ name: page.authority });
    if (page.search !== undefined) found.andWhere('position(:search IN domain.name) > 0', { search: page.search });
    return found.getManyAndCount();
  }

  /** Throws ApiError 404, also for the domain of another account. */
  async get(caller: Identity, name: string): Promise<WholeDomain> {
    const { manager } = this.database.dataSource;
    return whole(manager, await ownDomain(manager, caller, name));
  }

  /** Makes the domain and its DKIM key. Throws ApiError 400 if the name is taken, by whomever. */
  async create(caller: Identity, name: string, dkimSelector: string, options: Partial<Domain>): Promise<WholeDomain> {
    // Below the platform's zone a name is the platform's, whoever could show a record there.
    if (inZone(name, this.config.SANDBOX_ZONE)) throw nameTaken();
    const id = randomUUIDv7();
    const accountId = caller.account;
    const key = await this.dkimKeys.make({ id, accountId }, dkimSelector);
    const state = this.config.DOMAIN_VERIFICATION === 'off' ? 'active' : 'unverified';
    return this.settings.change(accountId, async (manager, records) => {
      const { bodiesDays, eventsDays } = await manager.findOneByOrFail(Account, { id: accountId });
      const { raw: inserted } = (await manager
        .createQueryBuilder()
        .insert()
        .into(Domain)
        .values({ bodiesDays, eventsDays, ...options, id, accountId, name, state })
        .orIgnore()
        .returning('id')
        .execute()) as { raw: unknown[] };
      if (inserted.length === 0) throw nameTaken();
      // The first key signs from the first message on: without it in the DNS there is none.
      await manager.insert(DkimKeyRow, { ...key, active: true, activatedAt: new Date(this.clock.now()) });
      return this.changed(manager, records, await manager.findOneByOrFail(Domain, { id }));
    });
  }

  /** Throws ApiError 404. */
  update(caller: Identity, name: string, options: Partial<Domain>): Promise<WholeDomain> {
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = Object.assign(await ownDomain(manager, caller, name), options);
      return this.changed(manager, records, await manager.save(domain));
    });
  }

  /**
   * Looks for the records in the DNS. A DKIM key that is there for the first time signs from now on, and a domain whose signing
   * key is there may send. A look that fails takes nothing away.
   */
  async verify(caller: Identity, name: string): Promise<WholeDomain> {
    const before = await this.get(caller, name);
    const [found, dnsChecks] = await this.look(before);
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = await manager.findOneBy(Domain, { id: before.domain.id });
      if (!domain) throw domainNotFound();
      const keys = await keysOf(manager, domain.id);
      for (const key of keys) {
        key.dnsCheck = found.get(key.id) ?? key.dnsCheck;
        if (takesOver(key)) Object.assign(key, { active: true, activatedAt: new Date(this.clock.now()) });
      }
      await manager.save(keys);
      domain.dnsChecks = dnsChecks;
      if (signingKey(keys, 'rsa')?.dnsCheck === 'valid' && domain.state === 'unverified') domain.state = 'active';
      return this.changed(manager, records, await manager.save(domain));
    });
  }

  /** Its keys and SMTP credentials go with it. Throws ApiError 404. */
  async remove(caller: Identity, name: string): Promise<void> {
    await this.settings.change(caller.account, async (manager, records) => {
      const domain = await ownDomain(manager, caller, name);
      await manager.delete(Domain, { id: domain.id });
      records.push(...this.settings.domainGone(domain.id));
    });
  }

  /** Findings by key, and by record. */
  private async look({ domain, keys }: WholeDomain): Promise<[Map<string, Check>, Record<string, Check>]> {
    const others = [...sendingRecords(domain, this.config), ...receivingRecords(domain, this.config)];
    const checks = await this.dns.look([...dkimRecords(domain, keys), ...others]);
    const check = (index: number): Check => checks[index] ?? 'unknown';
    return [
      new Map(keys.map(({ id }, index) => [id, check(index)])),
      Object.fromEntries(others.map((record, index) => [recordKey(record), check(keys.length + index)])),
    ];
  }

  private async changed(manager: EntityManager, records: EncodedRecord[], domain: Domain): Promise<WholeDomain> {
    records.push(...(await this.settings.domain(manager, domain)));
    return whole(manager, domain);
  }
}

const nameTaken = (): ApiError => new ApiError(400, 'This domain name is already taken', { field: 'name' });

const whole = async (manager: EntityManager, domain: Domain): Promise<WholeDomain> => ({
  domain,
  keys: await keysOf(manager, domain.id),
});
