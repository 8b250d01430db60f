import type { EncodedRecord } from '@lethe/kafka';
import { Database } from '@lethe/database';
import { ApiError, Clock, type Identity } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { AccountsService } from '../accounts/accounts.service.ts';
import { Domain } from '../domains/domain.entity.ts';
import { ownDomain } from '../domains/own-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { instructionInForce, mostDays, WEEK_DAYS } from './instructed.ts';
import type { InstructionRow } from './instruction.entity.ts';

export interface Days {
  readonly bodiesDays?: number | undefined;
  readonly eventsDays?: number | undefined;
}

/** `null`: as the account has it. */
export interface DomainDays {
  readonly bodiesDays?: number | null | undefined;
  readonly eventsDays?: number | null | undefined;
}

/**
 * How long an account keeps bodies and events (design §7), and which of its domains do otherwise. A domain that has not chosen follows
 * its account. Whoever keeps something hears it within a second, and removes what is there already and is too old.
 */
@Injectable()
export class RetentionSettingsService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
  ) {}

  /** The instruction by which the account may keep bodies for longer than a week, if there is one this moment. */
  instruction({ account }: Identity): Promise<InstructionRow | null> {
    return instructionInForce(this.database.dataSource.manager, account, new Date(this.clock.now()));
  }

  ofAccount({ account }: Identity): Promise<Account> {
    return this.accounts.get(account);
  }

  /** Throws ApiError 404. */
  ofDomain(caller: Identity, name: string): Promise<Domain> {
    return ownDomain(this.database.dataSource.manager, caller, name);
  }

  /** Throws ApiError 400 for more than there is a written instruction for. */
  setOfAccount({ account: id }: Identity, { bodiesDays, eventsDays }: Days): Promise<Account> {
    return this.settings.change(id, async (manager, records) => {
      const account = await manager.findOneByOrFail(Account, { id });
      if (bodiesDays !== undefined) {
        account.bodiesDays = await this.allowed(manager, id, bodiesDays);
        account.chosenBodiesDays = Math.min(bodiesDays, WEEK_DAYS);
      }
      account.eventsDays = eventsDays ?? account.eventsDays;
      records.push(...(await this.follow(manager, account)));
      return manager.save(account);
    });
  }

  /** Throws ApiError 404, and 400 for more than there is a written instruction for. */
  setOfDomain(caller: Identity, name: string, { bodiesDays, eventsDays }: DomainDays): Promise<Domain> {
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = await ownDomain(manager, caller, name);
      const account = await manager.findOneByOrFail(Account, { id: caller.account });
      if (bodiesDays !== undefined) {
        domain.ownBodiesDays = bodiesDays !== null;
        domain.bodiesDays = (await this.allowed(manager, account.id, bodiesDays)) ?? account.bodiesDays;
      }
      if (eventsDays !== undefined) {
        domain.ownEventsDays = eventsDays !== null;
        domain.eventsDays = eventsDays ?? account.eventsDays;
      }
      records.push(...(await this.settings.domain(manager, await manager.save(domain))));
      return domain;
    });
  }

  /** Domains that have not chosen, however many: they and what everybody hears of them say what the account says. */
  async follow(manager: EntityManager, { id: accountId, bodiesDays, eventsDays }: Account): Promise<EncodedRecord[]> {
    const [bodies, events] = [
      { accountId, ownBodiesDays: false },
      { accountId, ownEventsDays: false },
    ];
    await manager.update(Domain, bodies, { bodiesDays });
    await manager.update(Domain, events, { eventsDays });
    return this.settings.domains(manager, accountId, await manager.findBy(Domain, [bodies, events]));
  }

  private async allowed<D extends number | null | undefined>(
    manager: EntityManager,
    accountId: string,
    days: D,
  ): Promise<D> {
    const wanted = days ?? 0;
    if (wanted > WEEK_DAYS && wanted > (await mostDays(manager, accountId, new Date(this.clock.now())))) {
      throw new ApiError(
        400,
        'bodies_days: must be whole days, from 0 to 7: longer takes a recorded written instruction for as many days',
        { field: 'bodies_days' },
      );
    }
    return days;
  }
}
