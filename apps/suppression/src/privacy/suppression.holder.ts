import { randomUUIDv7 } from 'node:crypto';
import type { DoNotContact, Reading } from '@lethe/contracts';
import { Database } from '@lethe/database';
import {
  measureTables,
  patience,
  PersonalDataHolder,
  type ClosingScope,
  type Counts,
  type Erased,
  type ErasureScope,
  type Scope,
} from '@lethe/privacy-holder';
import { Clock, OverloadedError } from '@lethe/service';
import { FORGOTTEN, Vault } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { EntriesPublisher } from '../entries/entries.publisher.ts';
import { EntriesRepository } from '../entries/entries.repository.ts';
import type { Entry } from '../entries/entry.ts';
import { STORES } from './stores.ts';

/** People whose entries are changed in one transaction. */
const AT_ONCE = 500;
/** Rows of what Kafka has go a moment later; who asks asks again. */
const TOLD_WITHIN_MS = 5_000;

/** One pseudonym of the account and what is held under it. */
interface Person {
  readonly pseudonym: Buffer;
  /** Entries of who is to be erased. Of somebody who came back after the cut-off there is none among them. */
  readonly theirs: Entry[];
  /** `do-not-contact`: it names no subject. */
  readonly standing: Entry[];
}

/**
 * Forgets whom mail bounced from, and goes on not mailing who said so. What an erasure may leave is the pseudonym with
 * `do-not-contact`, for the account as a whole and without a subject: Art. 17(3)(b) and 21(3) GDPR, proof that "stop" is kept.
 */
@Injectable()
export class SuppressionHolder extends PersonalDataHolder {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly repository: EntriesRepository,
    private readonly entries: EntriesPublisher,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Events in work and bounces being added, in all replicas; the vault refuses what begins now. */
  fence(): Promise<void> {
    return this.entries.fence();
  }

  async erase(scope: ErasureScope): Promise<Erased> {
    const people = await this.peopleOf(scope);
    let gone = 0;
    for (let from = 0; from < people.length; from += AT_ONCE) {
      gone += await this.eraseSome(scope, people.slice(from, from + AT_ONCE));
    }
    const counts = countOf(gone);
    return { found: counts, removed: counts };
  }

  /**
   * By subject id, and by pseudonym what nothing opens any more. Throws while the end of it is not published. Not what names nobody:
   * it may stay, and only `erase` is told whether `remove` was asked, so that it alone counts those that go.
   */
  async verify(scope: Scope): Promise<Counts> {
    const people = await this.peopleOf(scope);
    if (await this.repository.isWaiting(people.map(({ pseudonym }) => pseudonym))) {
      throw new OverloadedError('queue of suppressions');
    }
    return countOf(people.reduce((sum, { theirs }) => sum + theirs.length, 0));
  }

  fenceAccount(): Promise<void> {
    return this.entries.fence();
  }

  /** All of them, `do-not-contact` too: there is nobody left who could mail these people. */
  async eraseAccount({ accountId }: ClosingScope): Promise<Erased> {
    const counts = countOf(await this.entries.removeAll(() => this.repository.ofAccount(accountId, AT_ONCE)));
    return { found: counts, removed: counts };
  }

  /** Throws while the end of one is not published. */
  async verifyAccount({ accountId, domains }: ClosingScope): Promise<Counts> {
    const again = patience(TOLD_WITHIN_MS, 'queue of suppressions');
    while (await this.repository.isWaitingIn([accountId, ...domains])) await again();
    return countOf(await this.repository.countOfAccount(accountId));
  }

  measure(): Promise<Reading[]> {
    return measureTables(this.database.pool, STORES);
  }

  private eraseSome({ accountId, doNotContact }: ErasureScope, people: readonly Person[]): Promise<number> {
    const kept = people.filter((person) => isKept(doNotContact, person));
    const gone = people.flatMap(({ theirs, standing }) =>
      doNotContact === 'remove' ? [...theirs, ...standing] : theirs,
    );
    return this.entries.change({
      prepare: async () => undefined,
      people: () => people.map(({ pseudonym }) => pseudonym),
      write: async (entries) => {
        // By row id: a row that was replaced meanwhile is another person's.
        const removed = await entries.removeRows(gone.map(({ id }) => id));
        await entries.put(
          kept.map(({ pseudonym }) => this.doNotContact(accountId, pseudonym)),
          'keep',
        );
        return removed;
      },
    });
  }

  /**
   * Who is to be erased, by their subjects and by the pseudonyms they are fenced under. Under the same pseudonym there may be
   * entries of an earlier subject, which nothing opens any more, and of a later one, who has come back and is somebody new.
   */
  private async peopleOf({ requestId, accountId, subjects }: Scope): Promise<Person[]> {
    const fenced = (await this.vault.fencedPseudonyms(requestId)).map(({ pseudonym }) => pseudonym);
    const found = await this.repository.ofPeople(accountId, [...subjects], fenced);
    const others = found.filter(({ subjectId }) => subjectId !== null && !subjects.has(subjectId));
    const opened = await this.vault.openMany(
      others.map(({ id, sealed }) => ({
        jwe: sealed ?? '',
        expected: { account: accountId, type: 'suppression', recordId: id },
      })),
    );
    const living = new Set(others.filter((_, index) => opened[index] !== FORGOTTEN));
    const people = new Map<string, Person>();
    const person = (pseudonym: Buffer): Person => {
      const key = pseudonym.toString('base64url');
      const known = people.get(key) ?? { pseudonym, theirs: [], standing: [] };
      people.set(key, known);
      return known;
    };
    for (const pseudonym of fenced) person(pseudonym);
    for (const entry of found) {
      const { theirs, standing } = person(entry.pseudonym);
      if (entry.subjectId === null) standing.push(entry);
      else if (!living.has(entry)) theirs.push(entry);
    }
    return [...people.values()];
  }

  private doNotContact(accountId: string, pseudonym: Buffer): Entry {
    return {
      scopeId: accountId,
      reason: 'do-not-contact',
      pseudonym,
      id: randomUUIDv7(),
      accountId,
      subjectId: null,
      sealed: null,
      createdAt: new Date(this.clock.now()),
    };
  }
}

/** `default`: whoever said stop themselves stays stopped. A mailbox that does not exist has said nothing. */
function isKept(asked: DoNotContact, { theirs, standing }: Person): boolean {
  if (asked !== 'default') return asked === 'keep';
  return standing.length > 0 || theirs.some(({ reason }) => reason !== 'bounce');
}

const countOf = (entries: number): Counts => (entries === 0 ? {} : { suppression: entries });
