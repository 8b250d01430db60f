import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { MailingList as SealedList } from '@lethe/contracts';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { type IngestConfig } from '../config.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { listAddress, type ListAddress, type ListInput } from './list.input.ts';
import { listNotFound, type ListRow, type MailingList } from './list.ts';
import { ListsRepository } from './lists.repository.ts';
import type { Edge, OffsetQuery, PageQuery } from './page.ts';
import { invalid } from '../form/refusals.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Undefined where there is nothing on that side. */
  readonly edges: { first: Edge; last: Edge } | undefined;
}

/**
 * Mailing lists of an account. Each is of one of the account's domains; what its customer typed lies under the account's key, and
 * its address is found by a keyed hash.
 */
@Injectable()
export class ListsService {
  constructor(
    private readonly vault: Vault,
    private readonly lists: ListsRepository,
    private readonly domains: SendingDomains,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /** @throws ApiError 400 where it is there already. */
  async create(account: string, input: ListInput & { address: ListAddress }): Promise<MailingList> {
    const id = randomUUIDv7();
    const { address, name = '', description = '', accessLevel = 'readonly' } = input;
    const domainId = this.domainOf(account, address.domain);
    const content: SealedList = { address: address.address, name, description };
    const list = {
      id,
      account_id: account,
      domain_id: domainId,
      address_hash: await this.hashOf(account, address),
      sealed: await this.seal(account, id, content),
      access_level: accessLevel,
      // Whoever cannot write to a list is of no use to whoever answers to it.
      reply_preference: input.replyPreference ?? (accessLevel === 'readonly' ? 'sender' : 'list'),
      created_at: new Date(this.clock.now()),
    } as const;
    const row = await this.lists.insert(list, this.config.LISTS_MAX);
    if (row) return { ...content, row };
    if (await this.lists.find(domainId, list.address_hash)) throw taken();
    throw new ApiError(400, `the account has as many mailing lists as it may: at most ${this.config.LISTS_MAX}`);
  }

  /** @throws ApiError 404. */
  async get(account: string, address: ListAddress | undefined): Promise<MailingList> {
    const list = address && (await this.find(account, address));
    if (!list) throw listNotFound();
    return list;
  }

  /** Undefined for an address that is no list of the account. */
  async find(account: string, address: ListAddress): Promise<MailingList | undefined> {
    const domainId = this.domains.ofAccount(account, address.domain)?.domainId;
    if (domainId === undefined) return undefined;
    const row = await this.lists.find(domainId, await this.hashOf(account, address));
    return row && (await this.open(row));
  }

  /** Those that are lists of the account, by their normal form. */
  async among(account: string, normalForms: readonly string[]): Promise<Map<string, ListRow>> {
    const asked = await Promise.all(
      normalForms
        .map(listAddress)
        .flatMap((address) => {
          const domainId = this.domains.ofAccount(account, address.domain)?.domainId;
          return domainId === undefined ? [] : [{ address, domainId }];
        })
        .map(async ({ address, domainId }) => ({
          domainId,
          hash: await this.hashOf(account, address),
          form: address.normalForm,
        })),
    );
    if (asked.length === 0) return new Map();
    const rows = await this.lists.findMany(asked);
    const forms = new Map(asked.map(({ hash, form }) => [hash.toString('hex'), form]));
    return new Map(rows.map((row) => [forms.get(row.address_hash.toString('hex')) ?? '', row]));
  }

  /** @throws ApiError 404; 400 where the new address is another list's. */
  async update(account: string, address: ListAddress | undefined, input: ListInput): Promise<MailingList> {
    const { row, ...before } = await this.get(account, address);
    const content: SealedList = {
      address: input.address?.address ?? before.address,
      name: input.name ?? before.name,
      description: input.description ?? before.description,
    };
    const moved = input.address;
    try {
      const now = await this.lists.update({
        id: row.id,
        domain_id: moved ? this.domainOf(account, moved.domain) : row.domain_id,
        address_hash: moved ? await this.hashOf(account, moved) : row.address_hash,
        sealed: await this.seal(account, row.id, content),
        access_level: input.accessLevel ?? row.access_level,
        reply_preference: input.replyPreference ?? row.reply_preference,
      });
      if (!now) throw listNotFound();
      return { ...content, row: now };
    } catch (error) {
      throw isDuplicate(error) ? taken() : error;
    }
  }

  /** Answers its address. @throws ApiError 404. */
  async remove(account: string, address: ListAddress | undefined): Promise<string> {
    const list = await this.get(account, address);
    if ((await this.lists.remove([list.row.id])) === 0) throw listNotFound();
    // What a kill leaves over, the worker takes.
    while (!(await this.lists.emptied(list.row.id)));
    return list.address;
  }

  async page(account: string, query: PageQuery): Promise<Page<MailingList>> {
    const { backwards, limit: most } = query;
    const position = query.position ?? (await this.positionOf(account, query.pivot));
    const rows = await this.lists.slice(account, { position, backwards, most });
    if (backwards) rows.reverse();
    const items = await this.openAll(rows);
    const [first, last] = [items[0], items.at(-1)].map(
      (list) => list && { position: list.row.seq, address: list.address },
    );
    return { items, edges: first && last && { first, last } };
  }

  async offset(account: string, query: OffsetQuery): Promise<{ items: readonly MailingList[]; total: number }> {
    if (query.address === undefined) {
      const { rows, total } = await this.lists.offset(account, query);
      return { items: await this.openAll(rows), total };
    }
    const list = await this.find(account, listAddress(query.address));
    const found = list ? [list] : [];
    return { items: found.slice(query.skip, query.skip + query.limit), total: found.length };
  }

  private async positionOf(account: string, pivot: string | undefined): Promise<string | undefined> {
    if (pivot === undefined) return undefined;
    const list = await this.find(account, listAddress(pivot));
    if (!list) throw notThere();
    return list.row.seq;
  }

  /** @throws ApiError 400: mail to it would never come to a domain that is not theirs. */
  private domainOf(account: string, name: string): string {
    const domain = this.domains.ofAccount(account, name);
    if (!domain) throw invalid('address', 'it must be of a domain of this account');
    return domain.domainId;
  }

  private hashOf(account: string, { normalForm }: ListAddress): Promise<Buffer> {
    return this.vault.keyedHash(account, 'mailing-list', normalForm);
  }

  private seal(account: string, id: string, content: SealedList): Promise<string> {
    return this.vault.sealForAccount({ account, period: 'standing', type: 'mailing-list', recordId: id }, content);
  }

  private async open(row: ListRow): Promise<MailingList> {
    const expected = { account: row.account_id, type: 'mailing-list', recordId: row.id };
    return { ...(await this.vault.openForAccount<SealedList>(row.sealed, expected)), row };
  }

  private openAll(rows: readonly ListRow[]): Promise<MailingList[]> {
    return Promise.all(rows.map((row) => this.open(row)));
  }
}

const taken = (): ApiError => invalid('address', 'there is a mailing list of this address already');
/** Of a pivot that a client made itself; links lead on from where they were. */
export const notThere = (): ApiError => invalid('address', 'it is not on this list: begin with page=first');

const isDuplicate = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === '23505';
