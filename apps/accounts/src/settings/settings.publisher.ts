import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Outbox, Publisher } from '@lethe/kafka';
import type { EncodedRecord, OutboxGroup } from '@lethe/kafka';
import { ApiError, OverloadedError, Semaphore } from '@lethe/service';
import { In, type EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { SmtpCredentialRow } from '../credentials/smtp-credential.entity.ts';
import { DkimKeyRow } from '../dkim/dkim-key.entity.ts';
import type { Domain } from '../domains/domain.entity.ts';
import { ApiKey } from '../keys/api-key.entity.ts';
import { SessionRow } from '../sessions/session.entity.ts';
import { SandboxRecipientRow } from '../sandbox/sandbox-recipient.entity.ts';
import { accountSettingsOf, domainSettingsOf, type LiveSession } from './settings-records.ts';

/** How long an answer waits for Kafka; the change is committed already and reaches the topic in any case. */
const ANSWER_WAIT_MS = 1_000;
/** The longest time a timer takes: until Kafka has answered. */
const UNTIL_SETTLED_MS = 2 ** 31 - 1;
/** Each change holds a connection of the pool; reading must go on beside them. */
const CHANGES_AT_ONCE = 4;
const CHANGES_WAITING = 64;

type Change<T> = (manager: EntityManager, records: EncodedRecord[]) => Promise<T>;

/** What the account is after the change. */
type LastRecords = (manager: EntityManager) => Promise<EncodedRecord[]>;

/** Changes state and tells everybody, in one transaction. */
@Injectable()
export class SettingsPublisher {
  private readonly changes = new Semaphore(CHANGES_AT_ONCE, CHANGES_WAITING);
  /** Of accounts with changes under way: one at a time, so that whoever makes many keeps nobody else's waiting. */
  private readonly turns = new Map<string, { turn: Semaphore; changes: number }>();
  /** Changes that are committed and that Kafka has not taken in time. */
  private late = 0;

  constructor(
    private readonly database: Database,
    private readonly publisher: Publisher,
    private readonly outbox: Outbox,
  ) {}

  /** Resolves once every change of the account that had begun, in whatever replica, is over and with Kafka. */
  async fence(accountId: string): Promise<void> {
    const runner = this.database.dataSource.createQueryRunner();
    try {
      await runner.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [accountId]);
    } finally {
      await runner.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
      await runner.release();
    }
  }

  /**
   * Runs a change of one account and publishes what the account is afterwards, with the records the change adds. An older
   * state must never follow a newer one, or a revoked key would come back: changes of an account wait for each other, in
   * all replicas, until Kafka has taken the one before, and they replace what of the same keys is still in the outbox.
   * Throws OverloadedError while Kafka does not take records; then nothing was changed.
   */
  change<T>(accountId: string, work: Change<T>): Promise<T> {
    return this.run(accountId, work, (manager) => this.account(manager, accountId));
  }

  /** The last change of an account, after which there is none: a tombstone says so. */
  end<T>(accountId: string, work: Change<T>): Promise<T> {
    return this.run(accountId, work, async () =>
      this.publisher.encode(ACCOUNT_SETTINGS, [{ ...about(accountId), value: null }]),
    );
  }

  /** Whether something of the account or of these domains has not reached Kafka yet. */
  async isWaiting(ids: readonly string[]): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `SELECT FROM outbox WHERE records->0->>'key' = ANY($1) LIMIT 1`,
      [ids],
    );
    return rowCount === 1;
  }

  /** What a domain is after the change that `manager` makes. */
  domain(manager: EntityManager, domain: Domain): Promise<EncodedRecord[]> {
    return this.domains(manager, domain.accountId, [domain]);
  }

  /** The same of several domains of an account: however many, three questions to the database. */
  async domains(manager: EntityManager, accountId: string, domains: readonly Domain[]): Promise<EncodedRecord[]> {
    const theirs = { where: { domainId: In(domains.map(({ id }) => id)) }, order: { id: 'ASC' } } as const;
    const keys = Map.groupBy(await manager.find(DkimKeyRow, theirs), ({ domainId }) => domainId);
    const credentials = Map.groupBy(await manager.find(SmtpCredentialRow, theirs), ({ domainId }) => domainId);
    const sandboxed = domains.some(({ sandbox }) => sandbox);
    const approved = sandboxed ? await manager.findBy(SandboxRecipientRow, { accountId }) : [];
    return this.publisher.encode(
      DOMAIN_SETTINGS,
      domains.map((domain) => {
        const { id } = domain;
        return {
          ...about(id),
          value: domainSettingsOf(domain, keys.get(id) ?? [], credentials.get(id) ?? [], approved),
        };
      }),
    );
  }

  domainGone(domainId: string): EncodedRecord[] {
    return this.publisher.encode(DOMAIN_SETTINGS, [{ ...about(domainId), value: null }]);
  }

  private run<T>(accountId: string, work: Change<T>, last: LastRecords): Promise<T> {
    if (this.late > 0) return Promise.reject(new OverloadedError('queue of settings'));
    return new Promise((resolve, reject) => {
      this.inTurn(accountId, () => this.locked(accountId, work, last, resolve)).catch(reject);
    });
  }

  private async inTurn(accountId: string, change: () => Promise<void>): Promise<void> {
    const own = this.turns.get(accountId) ?? { turn: new Semaphore(1, CHANGES_WAITING), changes: 0 };
    this.turns.set(accountId, own);
    own.changes += 1;
    try {
      await own.turn.run(() => this.changes.run(change));
    } finally {
      own.changes -= 1;
      if (own.changes === 0) this.turns.delete(accountId);
    }
  }

  private async locked<T>(
    accountId: string,
    work: Change<T>,
    last: LastRecords,
    answer: (result: T) => void,
  ): Promise<void> {
    const runner = this.database.dataSource.createQueryRunner();
    try {
      await runner.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [accountId]);
      const { result, groups } = await runner.manager.transaction((manager) => this.write(manager, work, last));
      await this.publish(groups, () => answer(result));
      answer(result);
    } finally {
      // A connection that broke has lost its lock already, and the pool drops it.
      await runner.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
      await runner.release();
    }
  }

  private async write<T>(manager: EntityManager, work: Change<T>, last: LastRecords) {
    const records: EncodedRecord[] = [];
    const result = await work(manager, records);
    records.push(...(await last(manager)));
    const groups = records.map((record): OutboxGroup => ({ id: randomUUIDv7(), records: [record] }));
    await manager.query(`DELETE FROM outbox WHERE records->0->>'key' = ANY($1)`, [records.map(({ key }) => key)]);
    await this.outbox.insertMany(manager, groups);
    return { result, groups };
  }

  /** Resolves when Kafka has the records, or has refused them and the relay has them. */
  private async publish(groups: OutboxGroup[], onLate: () => void): Promise<void> {
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

  private async account(manager: EntityManager, accountId: string): Promise<EncodedRecord[]> {
    const account = await manager.findOneBy(Account, { id: accountId });
    if (!account) throw new ApiError(404, 'Account not found');
    const keys = await manager.findBy(ApiKey, { accountId });
    const sessions = (await manager.find(SessionRow, {
      where: { accountId },
      relations: { user: true },
    })) as LiveSession[];
    return this.publisher.encode(ACCOUNT_SETTINGS, [
      { ...about(accountId), value: accountSettingsOf(account, keys, sessions) },
    ]);
  }
}

const about = (key: string) => ({ key, id: randomUUIDv7(), type: 'settings' });
