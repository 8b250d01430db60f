import { Injectable } from '@nestjs/common';
import { BodyStore, BODY_STORES } from '@lethe/bodies';
import { RETENTION, type Reading } from '@lethe/contracts';
import { Database } from '@lethe/database';
import {
  counted,
  measureTables,
  patience,
  PersonalDataHolder,
  type ClosingScope,
  type Counts,
  type Erased,
  type ErasureScope,
  type Scope,
} from '@lethe/privacy-holder';
import { MembersRepository } from '../lists/members/members.repository.ts';
import { AccountRepository } from './account.repository.ts';
import { FenceRepository } from './fence.repository.ts';
import { PersonRepository, type Step, type Whom } from './person.repository.ts';
import { STORES } from './stores.ts';

/** Kafka or a commit may be slow; who asks asks again. */
const FENCE_PATIENCE_MS = 15_000;
/** People looked for at once. */
const AT_ONCE = 500;

/** Ingest's part in a person's rights: recipients, senders, the bodies of messages, and members of lists. */
@Injectable()
export class IngestHolder extends PersonalDataHolder {
  constructor(
    private readonly people: PersonRepository,
    private readonly accounts: AccountRepository,
    private readonly members: MembersRepository,
    private readonly fences: FenceRepository,
    private readonly bodies: BodyStore,
    private readonly database: Database,
  ) {
    super();
  }

  /**
   * Commits that were let through before everybody had heard of the cut-off are over, wherever they run, and what they
   * published is in Kafka. Later ones refuse these people (`AcceptsUnderWay`). So are changes of lists.
   */
  fence({ accountId, subjects }: Scope): Promise<void> {
    return this.settled(() => this.fences.waiting(accountId, [...subjects]));
  }

  /** Mentions first: a message that goes with its last recipient takes all that belongs to it along, uncounted. */
  async erase({ requestId, accountId, subjects }: ErasureScope): Promise<Erased> {
    const all = [...subjects];
    const total: Step = { recipient: 0, mention: 0, message: 0, body: 0 };
    let member = 0;
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const whom: Whom = { requestId, accountId, subjects: all.slice(from, from + AT_ONCE) };
      while (add(total, await this.people.eraseMentions(whom)));
      while (add(total, await this.people.eraseRecipients(whom)));
      for (let gone = 1; gone > 0; member += gone) {
        gone = await this.members.removeEverywhere(whom.subjects, AT_ONCE, accountId);
      }
    }
    const removed = counted({ ...total, member });
    return { found: removed, removed };
  }

  async verify({ accountId, subjects }: Scope): Promise<Counts> {
    const whom = { accountId, subjects: [...subjects] };
    const [found, member] = await Promise.all([
      this.people.count(whom),
      this.members.countOf(accountId, whom.subjects),
    ]);
    return counted({ ...found, member });
  }

  fenceAccount({ accountId }: ClosingScope): Promise<void> {
    return this.settled(() => this.fences.waitingOf(accountId));
  }

  async eraseAccount(scope: ClosingScope): Promise<Erased> {
    const removed = counted(await this.accounts.erase(scope));
    return { found: removed, removed };
  }

  async verifyAccount(scope: ClosingScope): Promise<Counts> {
    return counted(await this.accounts.count(scope));
  }

  async measure(): Promise<Reading[]> {
    const [tables, oldest] = await Promise.all([measureTables(this.database.pool, STORES), this.bodies.oldest()]);
    const bodies = BODY_STORES.flatMap(({ store }) =>
      (['body', 'instructed'] as const).map((name) => ({
        store,
        class: name,
        limitSeconds: RETENTION[name].limitMs / 1_000,
        oldestAt: oldest[name]?.getTime() ?? null,
      })),
    );
    return [...tables, ...bodies];
  }

  /** Commits and changes of lists that had begun are over, and then what Kafka lacked has gone there. */
  private async settled(waiting: () => Promise<string[]>): Promise<void> {
    const again = patience(FENCE_PATIENCE_MS, 'way to Kafka');
    await gone(again, await this.fences.writers(), (before) => this.fences.writersLeft(before));
    await this.members.fence();
    await gone(again, await waiting(), (before) => this.fences.waitingLeft(before));
  }
}

/** Looks until nothing is left of what was there first. */
async function gone<T>(again: () => Promise<void>, first: T[], look: (before: T[]) => Promise<T[]>): Promise<void> {
  for (let left = first; left.length > 0; left = await look(left)) await again();
}

function add(total: Step, step: Step | undefined): boolean {
  if (!step) return false;
  for (const kind of Object.keys(total) as (keyof Step)[]) total[kind] += step[kind];
  return true;
}
