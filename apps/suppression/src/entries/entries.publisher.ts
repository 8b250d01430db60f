import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { MAIL_EVENTS, SUPPRESSION_ENTRIES, suppressionKey, type MailEvent } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Outbox, Publisher, type EncodedRecord, type OutboxGroup } from '@lethe/kafka';
import { OverloadedError, Semaphore } from '@lethe/service';
import type { EntityManager, QueryRunner } from 'typeorm';
import { keyText, pseudonymsOf, type Entry, type EntryKey, type Reason } from './entry.ts';
import { EntryWriter } from './entry.writer.ts';

/** How long an answer waits for Kafka; the change is committed already and reaches the topic in any case. */
const ANSWER_WAIT_MS = 1_000;
/** The longest time a timer takes: until Kafka has answered. */
const UNTIL_SETTLED_MS = 2 ** 31 - 1;
/** Each change holds a connection of the pool; reading must go on beside them. */
const CHANGES_AT_ONCE = 4;
const CHANGES_WAITING = 256;

/** Advisory locks, all replicas' together: 256 for the order of people's records, so that few wait, and one for the fence. */
const OF_PERSON = 1;
const FENCE = 2;

export interface Change<P, T> {
  /** What is asked of the vault first: a fence waits for those that have begun. */
  readonly prepare: () => Promise<P>;
  /** Whose entries it changes, by pseudonym. */
  readonly people: (prepared: P) => readonly Buffer[];
  readonly write: (entries: EntryWriter, prepared: P) => Promise<T>;
  /** What is told besides, where something was changed. */
  readonly events?: readonly MailEvent[];
}

interface MergedRow {
  scope_id: string;
  pseudonym: Buffer;
  reasons: Reason[];
  at: Date;
}

/** Changes entries and tells everybody, in one transaction. */
@Injectable()
export class EntriesPublisher {
  private readonly changes = new Semaphore(CHANGES_AT_ONCE, CHANGES_WAITING);
  /** Changes that are committed and that Kafka has not taken in time. */
  private late = 0;

  constructor(
    private readonly database: Database,
    private readonly publisher: Publisher,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Runs a change and publishes what its keys are afterwards. An older state must never follow a newer one, or who was
   * suppressed would be mailed again: changes of a person wait for each other, in all replicas, until Kafka has taken the
   * one before, and they replace what of the same keys is still in the outbox. Throws OverloadedError while Kafka does not
   * take records; then nothing was changed.
   */
  change<P, T>(change: Change<P, T>): Promise<T> {
    if (this.late > 0) return Promise.reject(new OverloadedError('queue of suppressions'));
    return new Promise((resolve, reject) => {
      this.changes.run(() => this.locked(change, resolve)).catch(reject);
    });
  }

  /** Removes entries page by page, as `read` finds some, until it finds none; how many there were still. */
  async removeAll(read: () => Promise<readonly Entry[]>): Promise<number> {
    let gone = 0;
    for (let some = await read(); some.length > 0; some = await read()) {
      const page = some;
      gone += await this.change({
        prepare: async () => undefined,
        people: () => pseudonymsOf(page),
        // By row id: a row that was replaced meanwhile is another one.
        write: (entries) => entries.removeRows(page.map(({ id }) => id)),
      });
    }
    return gone;
  }

  /** Resolves once every change that had begun, in whatever replica, is committed or given up. */
  async fence(): Promise<void> {
    await this.onConnection(async (runner) => {
      await runner.query('SELECT pg_advisory_lock($1, 0)', [FENCE]);
    });
  }

  private locked<P, T>(change: Change<P, T>, answer: (result: T) => void): Promise<void> {
    return this.onConnection(async (runner) => {
      await runner.query('SELECT pg_advisory_lock_shared($1, 0)', [FENCE]);
      const prepared = await change.prepare();
      // In one order, so that two changes of several people cannot wait for each other.
      const locks = [...new Set(change.people(prepared).map((pseudonym) => pseudonym.readUInt8(0)))].toSorted(
        (a, b) => a - b,
      );
      await runner.query('SELECT pg_advisory_lock($1, lock) FROM unnest($2::int[]) AS lock', [OF_PERSON, locks]);
      const { result, groups } = await runner.manager.transaction((manager) => this.write(manager, change, prepared));
      await runner.query('SELECT pg_advisory_unlock_shared($1, 0)', [FENCE]);
      await this.publish(groups, () => answer(result));
      answer(result);
    });
  }

  private async onConnection(work: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const runner = this.database.dataSource.createQueryRunner();
    try {
      await work(runner);
    } finally {
      // A connection that broke has lost its locks already, and the pool drops it.
      await runner.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
      await runner.release();
    }
  }

  private async write<P, T>(manager: EntityManager, change: Change<P, T>, prepared: P) {
    const entries = new EntryWriter(manager);
    const result = await change.write(entries, prepared);
    const { touched } = entries;
    if (touched.length === 0) return { result, groups: [] };
    const records = await this.records(manager, touched);
    const told = this.publisher.encode(
      MAIL_EVENTS,
      (change.events ?? []).map((event) => ({
        key: event.messageId,
        value: event,
        id: event.id,
        type: event.type,
        time: event.at,
      })),
    );
    const groups = [...records, ...told].map((record): OutboxGroup => ({ id: randomUUIDv7(), records: [record] }));
    await manager.query(`DELETE FROM outbox WHERE records->0->>'key' = ANY($1)`, [records.map(({ key }) => key)]);
    await this.outbox.insertMany(manager, groups);
    return { result, groups };
  }

  /** What is published of each key: all its reasons, or a tombstone where none is left. */
  private async records(manager: EntityManager, keys: readonly EntryKey[]): Promise<EncodedRecord[]> {
    const merged = await manager.query<MergedRow[]>(
      `SELECT scope_id, pseudonym, array_agg(reason ORDER BY reason) AS reasons, max(created_at) AS at
         FROM suppression JOIN unnest($1::uuid[], $2::bytea[]) AS k (scope_id, pseudonym) USING (scope_id, pseudonym)
        GROUP BY scope_id, pseudonym`,
      [keys.map(({ scopeId }) => scopeId), keys.map(({ pseudonym }) => pseudonym)],
    );
    const found = new Map(
      merged.map((row) => [keyText({ scopeId: row.scope_id, pseudonym: row.pseudonym }), row] as const),
    );
    return this.publisher.encode(
      SUPPRESSION_ENTRIES,
      keys.map((entry) => {
        const left = found.get(keyText(entry));
        return {
          key: suppressionKey(entry.pseudonym.toString('base64url'), entry.scopeId),
          value: left ? { reasons: left.reasons, at: left.at.getTime() } : null,
          id: randomUUIDv7(),
          type: 'suppression',
        };
      }),
    );
  }

  /** Resolves when Kafka has the records, or has refused them and the relay has them. */
  private async publish(groups: OutboxGroup[], onLate: () => void): Promise<void> {
    if (groups.length === 0) return;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.late += 1;
      onLate();
    }, ANSWER_WAIT_MS);
    await this.outbox.publishNow(groups, UNTIL_SETTLED_MS);
    clearTimeout(timer);
    if (isLate) this.late -= 1;
  }
}
