import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DkimKey } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { ApiError, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { AccountsConfig } from '../config.ts';
import { DnsCheck } from '../dns/dns-check.ts';
import { receivingRecords, recordKey, sendingRecords } from '../dns/dns-records.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { newDkimKeyPair } from './dkim-key-pair.ts';
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

@Injectable()
export class DomainsService {
  constructor(
    @Inject(CONFIG) private readonly config: AccountsConfig,
    private readonly database: Database,
    private readonly vault: Vault,
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
  get(caller: Identity, name: string): Promise<Domain> {
    return ownDomain(this.database.dataSource.manager, caller, name);
  }

  /** Makes the domain and its DKIM key. Throws ApiError 400 if the name is taken, by whomever. */
  async create(caller: Identity, name: string, dkimSelector: string, options: Partial<Domain>): Promise<Domain> {
    const id = randomUUIDv7();
    const { privateKey, publicKey } = await newDkimKeyPair();
    const part: DkimKey = { privateKey };
    const seal = { account: caller.account, period: 'standing', type: 'dkim-key', recordId: id } as const;
    const dkimPrivateKey = await this.vault.sealForAccount(seal, part);
    return this.settings.change(caller.account, async (manager, records) => {
      const { raw: inserted } = (await manager
        .createQueryBuilder()
        .insert()
        .into(Domain)
        .values({
          ...options,
          id,
          accountId: caller.account,
          name,
          state: this.config.DOMAIN_VERIFICATION === 'off' ? 'active' : 'unverified',
          dkimSelector,
          dkimPublicKey: publicKey,
          dkimPrivateKey,
        })
        .orIgnore()
        .returning('id')
        .execute()) as { raw: unknown[] };
      if (inserted.length === 0) throw new ApiError(400, 'This domain name is already taken', { field: 'name' });
      const domain = await manager.findOneByOrFail(Domain, { id });
      records.push(...(await this.settings.domain(manager, domain)));
      return domain;
    });
  }

  /** Throws ApiError 404. */
  update(caller: Identity, name: string, options: Partial<Domain>): Promise<Domain> {
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = Object.assign(await ownDomain(manager, caller, name), options);
      await manager.save(domain);
      records.push(...(await this.settings.domain(manager, domain)));
      return domain;
    });
  }

  /** Looks for the records in the DNS; a domain whose DKIM key is there may send. A look that fails takes nothing away. */
  async verify(caller: Identity, name: string): Promise<Domain> {
    const found = await this.get(caller, name);
    const wanted = [...sendingRecords(found, this.config), ...receivingRecords(found, this.config)];
    const checks = await this.dns.look(wanted);
    const dnsChecks = Object.fromEntries(
      wanted.map((record, index) => [recordKey(record), checks[index] ?? 'unknown']),
    );
    const dkimCheck = checks[wanted.findIndex(({ use }) => use === 'dkim')] ?? 'unknown';
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = await manager.findOneBy(Domain, { id: found.id });
      if (!domain) throw domainNotFound();
      domain.dkimCheck = dkimCheck;
      domain.dnsChecks = dnsChecks;
      if (dkimCheck === 'valid' && domain.state === 'unverified') domain.state = 'active';
      await manager.save(domain);
      records.push(...(await this.settings.domain(manager, domain)));
      return domain;
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
}
