import { Inject, Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { LessThan, MoreThan, type EntityManager } from 'typeorm';
import type { AccountsConfig } from '../config.ts';
import { DnsCheck } from '../dns/dns-check.ts';
import { dkimRecords } from '../dns/dns-records.ts';
import type { Domain } from '../domains/domain.entity.ts';
import { ownDomain } from '../domains/own-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { DkimKeyRow } from './dkim-key.entity.ts';
import { DkimKeyFactory } from './dkim-key.factory.ts';
import type { Algorithm } from './dkim-key-pair.ts';
import { keysOf } from './keys-of.ts';
import { isOnlyActive, signingKey } from './signing.policy.ts';

/** As Mailgun has it: one that signs, one that did, one that will. */
const MAX_PER_DOMAIN = 3;

export interface DkimKeyPage {
  signingDomain?: string | undefined;
  selector?: string | undefined;
  limit: number;
  /** Strictly after this id, or before it; undefined: at that end of the list. */
  pivot?: string | undefined;
  backwards: boolean;
}

/** A key with the domain it signs for. */
export interface KnownDkimKey {
  key: DkimKeyRow;
  domain: Domain;
}

/**
 * Keys that a domain's mail is signed with. Rotation loses no signature: a new key signs nothing until its record is in the DNS
 * (`verify` of the domain sees to it, or `activate`), the key before stays active beside it, and one is always left.
 */
@Injectable()
export class DkimKeysService {
  constructor(
    @Inject(CONFIG) private readonly config: AccountsConfig,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly factory: DkimKeyFactory,
    private readonly settings: SettingsPublisher,
    private readonly dns: DnsCheck,
  ) {}

  /** Of all the account's domains, in the order they were made, and how many there are in all. */
  async list(caller: Identity, page: DkimKeyPage): Promise<[KnownDkimKey[], number]> {
    const { pivot, backwards } = page;
    const where = {
      accountId: caller.account,
      ...(page.signingDomain === undefined ? {} : { domain: { name: page.signingDomain } }),
      ...(page.selector === undefined ? {} : { selector: page.selector }),
    };
    const { manager } = this.database.dataSource;
    const place = pivot === undefined ? {} : { id: backwards ? LessThan(pivot) : MoreThan(pivot) };
    const [keys, total] = await Promise.all([
      manager.find(DkimKeyRow, {
        where: { ...where, ...place },
        relations: { domain: true },
        order: { id: backwards ? 'DESC' : 'ASC' },
        take: page.limit,
      }),
      manager.count(DkimKeyRow, { where }),
    ]);
    const found = keys.flatMap((key) => (key.domain ? { key, domain: key.domain } : []));
    return [backwards ? found.toReversed() : found, total];
  }

  /** Throws ApiError 404. */
  async ofDomain(caller: Identity, domainName: string): Promise<KnownDkimKey[]> {
    const { manager } = this.database.dataSource;
    const domain = await ownDomain(manager, caller, domainName);
    return (await keysOf(manager, domain.id)).map((key) => ({ key, domain }));
  }

  /** A new key, or the customer's own. Throws ApiError 404, and 400 if the selector is taken or there are too many keys. */
  async create(
    caller: Identity,
    domainName: string,
    selector: string,
    wish: { algorithm?: Algorithm | undefined; pem?: string | undefined } = {},
  ): Promise<KnownDkimKey> {
    const { id, accountId } = await ownDomain(this.database.dataSource.manager, caller, domainName);
    const made = await this.factory.make({ id, accountId }, selector, wish);
    return this.change(caller, domainName, async (manager, domain, keys) => {
      if (keys.some((key) => key.selector === selector)) {
        throw new ApiError(400, 'selector: is taken already for this domain', { field: 'selector' });
      }
      if (keys.length >= MAX_PER_DOMAIN) {
        throw new ApiError(400, `selector: a domain has at most ${MAX_PER_DOMAIN} DKIM keys`, { field: 'selector' });
      }
      // The domain was made anew meanwhile: the seal is bound to the one before.
      if (domain.id !== made.domainId) throw keyNotFound();
      return { key: await manager.save(manager.create(DkimKeyRow, { ...made, activatedAt: null })), domain };
    });
  }

  /** From now on mail is signed with this key. Throws ApiError 404, 400 if it is not in the DNS, 503 if the DNS is silent. */
  async activate(caller: Identity, domainName: string, selector: string): Promise<KnownDkimKey> {
    const known = found(await this.ofDomain(caller, domainName), selector);
    const [dnsCheck = 'unknown'] = await this.dns.look(dkimRecords(known.domain, [known.key]));
    if (this.config.DOMAIN_VERIFICATION === 'on') {
      if (dnsCheck === 'unknown') throw new ApiError(503, 'the DNS does not answer: try again');
      if (dnsCheck === 'invalid') {
        throw new ApiError(400, 'selector: its record is not in the DNS yet', { field: 'selector' });
      }
    }
    return this.change(caller, domainName, async (manager, domain, keys) => {
      const key = keys.find(({ id }) => id === known.key.id);
      if (!key) throw keyNotFound();
      Object.assign(key, { active: true, activatedAt: new Date(this.clock.now()), dnsCheck });
      return { key: await manager.save(key), domain };
    });
  }

  /** Throws ApiError 404, and 400 for the only active key. */
  deactivate(caller: Identity, domainName: string, selector: string): Promise<KnownDkimKey> {
    return this.change(caller, domainName, async (manager, domain, keys) => {
      const key = dispensable(keys, selector);
      return { key: await manager.save(Object.assign(key, { active: false })), domain };
    });
  }

  /** Nothing opens it again. Throws ApiError 404, and 400 for the only active key. */
  remove(caller: Identity, domainName: string, selector: string): Promise<void> {
    return this.change(caller, domainName, async (manager, _, keys) => {
      await manager.delete(DkimKeyRow, { id: dispensable(keys, selector).id });
    });
  }

  /** The selector that mail is to be signed under: that of a key there is, or of a new one once it is in the DNS. */
  async changeSelector(caller: Identity, domainName: string, selector: string): Promise<void> {
    const keys = (await this.ofDomain(caller, domainName)).map(({ key }) => key);
    if (signingKey(keys, 'rsa')?.selector === selector) return;
    if (keys.some((key) => key.selector === selector)) await this.activate(caller, domainName, selector);
    else await this.create(caller, domainName, selector);
  }

  /** A change of the domain's keys, and the record that tells everybody. */
  private change<T>(
    caller: Identity,
    domainName: string,
    work: (manager: EntityManager, domain: Domain, keys: DkimKeyRow[]) => Promise<T>,
  ): Promise<T> {
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = await ownDomain(manager, caller, domainName);
      const result = await work(manager, domain, await keysOf(manager, domain.id));
      records.push(...(await this.settings.domain(manager, domain)));
      return result;
    });
  }
}

const keyNotFound = (): ApiError => new ApiError(404, 'Domain key not found');

function found(keys: readonly KnownDkimKey[], selector: string): KnownDkimKey {
  const known = keys.find(({ key }) => key.selector === selector);
  if (!known) throw keyNotFound();
  return known;
}

function dispensable(keys: readonly DkimKeyRow[], selector: string): DkimKeyRow {
  const key = keys.find((one) => one.selector === selector);
  if (!key) throw keyNotFound();
  if (isOnlyActive(key, keys)) {
    throw new ApiError(400, 'selector: is that of the only active key: activate another first', { field: 'selector' });
  }
  return key;
}
