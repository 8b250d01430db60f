import { randomUUIDv7 } from 'node:crypto';
import type { RetentionInstruction } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { ApiError, Clock, type Identity } from '@lethe/service';
import { ForgottenError, Vault } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { Equal, IsNull, LessThanOrEqual, MoreThan, Not, type EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { AccountsService, assertOpen } from '../accounts/accounts.service.ts';
import { Domain } from '../domains/domain.entity.ts';
import { SessionRow } from '../sessions/session.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { InstructionRow } from './instruction.entity.ts';
import { instructionInForce, WEEK_DAYS } from './instructed.ts';
import { RetentionSettingsService } from './retention-settings.service.ts';

export type NewInstruction = Pick<
  InstructionRow,
  'accountId' | 'bodiesDays' | 'documentSha256' | 'signedAt' | 'validFrom' | 'validTo'
> &
  RetentionInstruction;

/** An instruction with who has signed it, in clear. */
export type Instruction = Omit<InstructionRow, 'signature'> & RetentionInstruction;

/**
 * Written instructions to keep bodies for longer than a week. While one is in force its account may choose up to as many days as it says;
 * as it begins the account's retention becomes what the longest in force says. As the last one ends the account goes back to what it has
 * chosen itself, and whatever else is longer than what is allowed then to that.
 */
@Injectable()
export class InstructionsService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly accounts: AccountsService,
    private readonly retention: RetentionSettingsService,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
  ) {}

  /** In force within a second where it has begun. Throws ApiError 404, and 409 for a closed account. */
  async record({ signedBy, ...fields }: NewInstruction): Promise<Instruction> {
    const { accountId } = fields;
    assertOpen(await this.accounts.get(accountId));
    const id = randomUUIDv7();
    const seal = { account: accountId, period: 'standing', type: 'retention-instruction', recordId: id } as const;
    const part: RetentionInstruction = { signedBy };
    const signature = await this.vault.sealForAccount(seal, part);
    const { signature: _, ...row } = await this.settings.change(accountId, async (manager, records) => {
      assertOpen(await manager.findOneByOrFail(Account, { id: accountId }));
      await manager.save(manager.create(InstructionRow, { ...fields, id, signature }));
      records.push(...(await this.follow(manager, accountId)));
      return manager.findOneByOrFail(InstructionRow, { id });
    });
    return { ...row, signedBy };
  }

  /**
   * From the answer on nothing is kept by it; the record stays. One that is over already, by itself or ended before, stays as it is. Throws
   * ApiError 404.
   */
  async end({ account: operator, keyId }: Identity, id: string): Promise<Instruction> {
    const { accountId } = await find(this.database.dataSource.manager, id);
    const row = await this.settings.change(accountId, async (manager, records) => {
      const instruction = await find(manager, id);
      const now = new Date(this.clock.now());
      if (instruction.endedAt === null && instruction.validTo > now) {
        // A session is gone after some weeks; whose it was is to be known for as long as the record is there.
        const sessions = await manager.findBy(SessionRow, { accountId: operator });
        const endedBy = sessions.find((session) => session.id === keyId)?.userId ?? keyId;
        await manager.update(InstructionRow, { id }, { endedAt: now, endedBy });
      }
      records.push(...(await this.follow(manager, accountId)));
      return find(manager, id);
    });
    return this.open(row);
  }

  /** Oldest first, of one account or of all, and how many there are. */
  async list(page: { account?: string | undefined; limit: number; skip: number }): Promise<[Instruction[], number]> {
    const [rows, total] = await this.database.dataSource.manager.findAndCount(InstructionRow, {
      where: page.account === undefined ? {} : { accountId: page.account },
      order: { id: 'ASC' },
      take: page.limit,
      skip: page.skip,
    });
    return [await Promise.all(rows.map((row) => this.open(row))), total];
  }

  /**
   * Lets begin and end what has to; answers of how many accounts. One that fails keeps no other from its end; what it failed of is thrown
   * after them.
   */
  async turn(): Promise<number> {
    const now = new Date(this.clock.now());
    const due = await this.database.dataSource.manager.find(InstructionRow, {
      select: { accountId: true },
      where: [
        { state: 'coming', validFrom: LessThanOrEqual(now) },
        { state: 'in-force', validTo: LessThanOrEqual(now) },
      ],
    });
    const accounts = new Set(due.map(({ accountId }) => accountId));
    const failures: unknown[] = [];
    for (const accountId of accounts) {
      const change = this.settings.change(accountId, async (manager, records) => {
        records.push(...(await this.follow(manager, accountId)));
      });
      await change.catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    return accounts.size;
  }

  private async follow(manager: EntityManager, accountId: string) {
    const now = new Date(this.clock.now());
    const account = await manager.findOneByOrFail(Account, { id: accountId });
    const over = { accountId, state: Not(Equal('over')) } as const;
    await manager.update(InstructionRow, { ...over, validTo: LessThanOrEqual(now) }, { state: 'over' });
    await manager.update(InstructionRow, { ...over, endedAt: Not(IsNull()) }, { state: 'over' });
    const begins = { accountId, state: 'coming', validFrom: LessThanOrEqual(now) } as const;
    const { affected: begun } = await manager.update(InstructionRow, begins, { state: 'in-force' });
    const instruction = await instructionInForce(manager, accountId, now);
    const most = instruction?.bodiesDays ?? WEEK_DAYS;
    // One that begins may be shorter than another in force: that holds, or what is kept by it would be gone.
    account.bodiesDays = begun ? most : Math.min(account.bodiesDays, instruction ? most : account.chosenBodiesDays);
    await manager.save(account);
    // What domains have chosen themselves, as far as nobody may any more.
    const tooLong = { accountId, ownBodiesDays: true, bodiesDays: MoreThan(most) } as const;
    const shortened = await manager.findBy(Domain, tooLong);
    for (const domain of shortened) domain.bodiesDays = most;
    await manager.save(shortened);
    return [
      ...(shortened.length > 0 ? await this.settings.domains(manager, accountId, shortened) : []),
      ...(await this.retention.follow(manager, account)),
    ];
  }

  private async open({ signature, ...row }: InstructionRow): Promise<Instruction> {
    const expected = { account: row.accountId, type: 'retention-instruction', recordId: row.id };
    try {
      return {
        ...row,
        signedBy: (await this.vault.openForAccount<RetentionInstruction>(signature, expected)).signedBy,
      };
    } catch (error) {
      // Of an account that is being erased: its secret goes before its rows.
      if (error instanceof ForgottenError) return { ...row, signedBy: '' };
      throw error;
    }
  }
}

async function find(manager: EntityManager, id: string): Promise<InstructionRow> {
  const instruction = await manager.findOneBy(InstructionRow, { id });
  if (!instruction) throw new ApiError(404, 'Instruction not found');
  return instruction;
}
