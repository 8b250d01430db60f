import { Injectable } from '@nestjs/common';
import type { Suppression } from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import { FORGOTTEN, ForgottenError, Vault } from '@lethe/vault';
import { EntriesPublisher } from '../entries/entries.publisher.ts';
import { EntriesRepository } from '../entries/entries.repository.ts';
import { pseudonymsOf, type Entry } from '../entries/entry.ts';
import { newEntry } from '../entries/new-entry.ts';
import type { BounceInput } from './bounce.input.ts';
import type { PageEdges, PageQuery } from './bounce.page.ts';

/** A bounce as its list shows it. */
export interface Bounce extends Suppression {
  readonly createdAt: Date;
}

/** Whose list: a domain of an account. */
export interface ListOf {
  readonly account: string;
  readonly domainId: string;
}

export interface BouncePage {
  readonly items: readonly Bounce[];
  readonly edges: PageEdges;
}

/** Entries opened for one page, at most: with `term`, or where many were erased this moment, most are not shown. */
const MOST_LOOKED_AT = 10_000;
const SLICE = 500;

/** The list of addresses that mail of a domain bounced from. */
@Injectable()
export class BouncesService {
  constructor(
    private readonly vault: Vault,
    private readonly repository: EntriesRepository,
    private readonly entries: EntriesPublisher,
  ) {}

  async list({ account, domainId }: ListOf, query: PageQuery): Promise<BouncePage> {
    const { limit, term, backwards } = query;
    const items: Bounce[] = [];
    let pivot = query.pivot === undefined ? undefined : await this.vault.pseudonym(account, query.pivot);
    let looked: string | undefined;
    let ended = false;
    for (let seen = 0; items.length < limit && !ended && seen < MOST_LOOKED_AT;) {
      const most = Math.min(SLICE, term === '' ? limit - items.length : SLICE);
      const slice = await this.repository.slice(domainId, 'bounce', { pivot, backwards, most });
      ended = slice.length < most;
      for (const bounce of await this.open(slice)) {
        if (items.length === limit) {
          ended = false;
          break;
        }
        if (!bounce) continue;
        looked = bounce.address;
        if (bounce.address.toLowerCase().startsWith(term)) items.push(bounce);
      }
      seen += slice.length;
      pivot = slice.at(-1)?.pseudonym;
    }
    if (backwards) items.reverse();
    return { items, edges: { first: items[0]?.address, last: items.at(-1)?.address, looked, ended } };
  }

  async get({ account, domainId }: ListOf, address: string): Promise<Bounce | undefined> {
    const pseudonym = await this.vault.pseudonym(account, normalForm(address));
    const entry = await this.repository.find({ scopeId: domainId, pseudonym }, 'bounce');
    const [bounce] = entry ? await this.open([entry]) : [];
    return bounce;
  }

  /** A door: who is new to the account becomes a subject. All or none. */
  async add(list: ListOf, bounces: readonly BounceInput[]): Promise<void> {
    await this.entries.change({
      prepare: () => this.entriesOf(list, bounces),
      people: pseudonymsOf,
      write: (entries, made) => entries.put(made, 'replace'),
    });
  }

  /** Whether it was there. */
  async remove({ account, domainId }: ListOf, address: string): Promise<boolean> {
    return this.entries.change({
      prepare: () => this.vault.pseudonym(account, normalForm(address)),
      people: (pseudonym) => [pseudonym],
      write: async (entries, pseudonym) => (await entries.remove(domainId, 'bounce', [pseudonym])) > 0,
    });
  }

  async removeAll({ domainId }: ListOf): Promise<void> {
    let pivot: Buffer | undefined;
    const some = (): Promise<Entry[]> =>
      this.entries.change({
        prepare: () => this.repository.slice(domainId, 'bounce', { pivot, backwards: false, most: SLICE }),
        people: pseudonymsOf,
        write: async (entries, slice) => {
          await entries.remove(domainId, 'bounce', pseudonymsOf(slice));
          return slice;
        },
      });
    for (let slice = await some(); slice.length > 0; slice = await some()) pivot = slice.at(-1)?.pseudonym;
  }

  /** Undefined in place of who has been forgotten and whose entry is about to go. */
  private async open(entries: readonly Entry[]): Promise<(Bounce | undefined)[]> {
    const opened = await this.vault.openMany<Suppression>(
      entries.map(({ accountId: account, id, sealed }) => ({
        jwe: sealed ?? '',
        expected: { account, type: 'suppression', recordId: id },
      })),
    );
    return opened.map((part, index) => {
      const { createdAt } = entries[index] as Entry;
      return part === FORGOTTEN ? undefined : { ...part, createdAt };
    });
  }

  private async entriesOf(list: ListOf, bounces: readonly BounceInput[]): Promise<Entry[]> {
    const normalForms = bounces.map((bounce) => bounce.normalForm);
    try {
      const subjects = await this.vault.subjectsFor(list.account, normalForms);
      const pseudonyms = await this.vault.pseudonyms(list.account, normalForms);
      return await Promise.all(
        bounces.map((bounce, index) =>
          this.entryOf(list, bounce, subjects[index] as string, pseudonyms[index] as Buffer),
        ),
      );
    } catch (error) {
      if (!(error instanceof ForgottenError)) throw error;
      throw new ApiError(503, 'an erasure is under way: try again', { retryAfterSeconds: 2 });
    }
  }

  private entryOf(
    { account: accountId, domainId: scopeId }: ListOf,
    { address, code, error, createdAt }: BounceInput,
    subjectId: string,
    pseudonym: Buffer,
  ): Promise<Entry> {
    const about = { scopeId, reason: 'bounce', pseudonym, accountId, subjectId, createdAt } as const;
    return newEntry(this.vault, about, { address, code, error });
  }
}
