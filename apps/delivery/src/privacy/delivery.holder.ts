import { Injectable } from '@nestjs/common';
import type { Reading } from '@lethe/contracts';
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
import { PeopleUnderWay } from '../dispatch/people.under-way.ts';
import { HoldsRepository } from '../holding/holds.repository.ts';
import { EVERYBODY, PersonRepository, type Whom } from './person.repository.ts';
import { STORES } from './stores.ts';

/** A reply to a final dot may take minutes; who asks asks again. */
const FENCE_PATIENCE_MS = 15_000;

/** Delivery's part in a person's rights: mail to them that waits or is under way, and their names in mail to others. */
@Injectable()
export class DeliveryHolder extends PersonalDataHolder {
  constructor(
    private readonly people: PeopleUnderWay,
    private readonly records: PersonRepository,
    private readonly holds: HoldsRepository,
    private readonly database: Database,
  ) {
    super();
  }

  /**
   * Attempts at them have been called back when their keys were (`PeopleUnderWay`), in every process. What had its final dot
   * out is waited for: here, and where another process works on a row of the queue.
   */
  async fence(scope: Scope): Promise<void> {
    await this.ended(scope, () => [...scope.subjects].some((subject) => !this.people.none(subject)));
  }

  async erase(scope: ErasureScope): Promise<Erased> {
    const removed = counted(await this.records.erase(scope));
    return { found: removed, removed };
  }

  async verify(scope: Scope): Promise<Counts> {
    return counted(await this.records.count(scope));
  }

  /** The same for every attempt for the account. */
  async fenceAccount({ accountId }: ClosingScope): Promise<void> {
    const busy = (): boolean => [...this.people.all()].some(({ record }) => record.accountId === accountId);
    await this.ended({ accountId, subjects: EVERYBODY }, busy);
  }

  async eraseAccount({ accountId, domains }: ClosingScope): Promise<Erased> {
    const tally = await this.records.erase({ accountId, subjects: EVERYBODY });
    const removed = counted({ ...tally, hold: await this.holds.removeOf([accountId, ...domains]) });
    return { found: removed, removed };
  }

  async verifyAccount({ accountId, domains }: ClosingScope): Promise<Counts> {
    const tally = await this.records.count({ accountId, subjects: EVERYBODY });
    return counted({ ...tally, hold: await this.holds.countOf([accountId, ...domains]) });
  }

  measure(): Promise<Reading[]> {
    return measureTables(this.database.pool, STORES);
  }

  /** With a row of the queue, or at work here. What Kafka still holds is behind the barrier of whoever asks. */
  override async inFlight(messages: readonly string[]): Promise<string[]> {
    const here = new Set([...this.people.all()].map(({ record }) => record.messageId));
    const waiting = new Set(await this.records.waiting(messages));
    return messages.filter((id) => waiting.has(id) || here.has(id));
  }

  private async ended(whom: Whom, busy: () => boolean): Promise<void> {
    const again = patience(FENCE_PATIENCE_MS, 'way to the exchangers');
    while (busy()) await again();
    for (let left = await this.records.leased(whom); left.length > 0; left = await this.records.leasedLeft(left)) {
      await again();
    }
  }
}
