import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Outbox, Publisher } from '@lethe/kafka';
import type { EncodedRecord } from '@lethe/kafka';
import { ApiError } from '@lethe/service';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import type { Domain } from '../domains/domain.entity.ts';
import { ApiKey } from '../keys/api-key.entity.ts';
import { accountSettingsOf, domainSettingsOf } from './settings-records.ts';

/** How long an answer waits for Kafka; the change is committed already and reaches the topic in any case. */
const PUBLISH_WAIT_MS = 1_000;

/** Changes state and tells everybody, in one transaction. */
@Injectable()
export class SettingsPublisher {
  constructor(
    private readonly database: Database,
    private readonly publisher: Publisher,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Runs a change of one account and publishes what the account is afterwards, with the records the change adds. Changes of
   * an account wait for each other, and records of the same key that are not out yet are replaced: an older state must
   * never follow a newer one, or a revoked key would come back.
   */
  async change<T>(
    accountId: string,
    work: (manager: EntityManager, records: EncodedRecord[]) => Promise<T>,
  ): Promise<T> {
    this.outbox.assertRoom();
    const groups: { id: string; records: EncodedRecord[] }[] = [];
    const result = await this.database.withTransaction(async (manager) => {
      await manager.query('SELECT FROM account WHERE id = $1 FOR UPDATE', [accountId]);
      const records: EncodedRecord[] = [];
      const result = await work(manager, records);
      records.push(...(await this.account(manager, accountId)));
      groups.push(...records.map((record) => ({ id: randomUUIDv7(), records: [record] })));
      await manager.query(`DELETE FROM outbox WHERE records->0->>'key' = ANY($1)`, [records.map(({ key }) => key)]);
      await this.outbox.insertMany(manager, groups);
      return result;
    });
    await this.outbox.publishNow(groups, PUBLISH_WAIT_MS);
    return result;
  }

  domain(domain: Domain): EncodedRecord[] {
    return this.publisher.encode(DOMAIN_SETTINGS, [{ ...about(domain.id), value: domainSettingsOf(domain) }]);
  }

  domainGone(domainId: string): EncodedRecord[] {
    return this.publisher.encode(DOMAIN_SETTINGS, [{ ...about(domainId), value: null }]);
  }

  private async account(manager: EntityManager, accountId: string): Promise<EncodedRecord[]> {
    const account = await manager.findOneBy(Account, { id: accountId });
    if (!account) throw new ApiError(404, 'Account not found');
    const keys = await manager.findBy(ApiKey, { accountId });
    return this.publisher.encode(ACCOUNT_SETTINGS, [{ ...about(accountId), value: accountSettingsOf(account, keys) }]);
  }
}

const about = (key: string) => ({ key, id: randomUUIDv7(), type: 'settings' });
