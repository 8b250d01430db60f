import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { SandboxRecipient } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { normalForm, parseAddress } from '@lethe/mail';
import { ApiError, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { FORGOTTEN, ForgottenError, Vault } from '@lethe/vault';
import type { EntityManager } from 'typeorm';
import type { AccountsConfig } from '../config.ts';
import { Domain } from '../domains/domain.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { ensureSandbox } from './sandbox-domain.ts';
import { SandboxRecipientRow } from './sandbox-recipient.entity.ts';

/** All of them travel in the domain's record, and a list opens them: a sandbox is for a team that tries things out. */
const MAX_PER_ACCOUNT = 20;
/** Those removed since included: whoever swaps them all day long sends to everybody. */
const MAX_A_DAY = 40;

/**
 * Whom an account may send to from its sandbox domain. It approves them itself, by its API: that they say so themselves, by a
 * click, is not there yet. They are people: what names them is sealed under their keys, others are told subject ids.
 */
@Injectable()
export class SandboxRecipientsService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly settings: SettingsPublisher,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  /** Addresses, in the order of their approval. */
  async list(caller: Identity): Promise<string[]> {
    const opened = await this.open(await rowsOf(this.database.dataSource.manager, caller.account));
    return opened.flatMap((part) => (part === FORGOTTEN ? [] : [part.address]));
  }

  /**
   * Answers the address as it is kept. A door: who is new to the account becomes a subject. Approved again, it stays as it was.
   * Throws ApiError 404 where the platform has no sandbox, 400 for an address that is none, or for too many, 429 for too many a day.
   */
  async approve(caller: Identity, email: string): Promise<string> {
    const { SANDBOX_ZONE: zone } = this.config;
    if (zone === undefined) throw new ApiError(404, 'This platform has no sandbox domains');
    const address = addressOf(email);
    const { account } = caller;
    await this.settings.change(account, async (manager, records) => {
      const domain = await ensureSandbox(manager, account, zone);
      await this.add(manager, account, address);
      records.push(...(await this.settings.domain(manager, domain)));
    });
    return address;
  }

  /** Throws ApiError 404. */
  async remove(caller: Identity, email: string): Promise<void> {
    const wanted = normalForm(addressOf(email));
    await this.settings.change(caller.account, async (manager, records) => {
      const rows = await rowsOf(manager, caller.account);
      const opened = await this.open(rows);
      const row = rows.find((_, index) => {
        const part = opened[index];
        return part !== undefined && part !== FORGOTTEN && normalForm(part.address) === wanted;
      });
      if (!row) throw new ApiError(404, 'Sandbox recipient not found');
      await manager.delete(SandboxRecipientRow, { id: row.id });
      for (const domain of await manager.findBy(Domain, { accountId: caller.account, sandbox: true })) {
        records.push(...(await this.settings.domain(manager, domain)));
      }
    });
  }

  /** Inside of a change of the account, for which a fence waits. Who is refused does not become a subject by that. */
  private async add(manager: EntityManager, account: string, address: string): Promise<void> {
    const rows = await rowsOf(manager, account);
    const [known] = await this.vault.knownSubjects(account, [normalForm(address)]);
    if (rows.some(({ subjectId }) => subjectId === known)) return;
    if (rows.length >= MAX_PER_ACCOUNT) {
      throw new ApiError(400, `email: an account has at most ${MAX_PER_ACCOUNT} authorized recipients`, {
        field: 'email',
      });
    }
    await this.count(manager, account);
    const id = randomUUIDv7();
    const part: SandboxRecipient = { address };
    try {
      const [subject] = (await this.vault.subjectsFor(account, [normalForm(address)])) as [string];
      const seal = { account, subject, period: 'standing', type: 'sandbox-recipient', recordId: id } as const;
      const recipient = await this.vault.seal(seal, part);
      await manager.insert(SandboxRecipientRow, { id, accountId: account, subjectId: subject, recipient });
    } catch (error) {
      if (!(error instanceof ForgottenError)) throw error;
      throw new ApiError(503, 'an erasure is under way: try again', { retryAfterSeconds: 2 });
    }
  }

  private async count(manager: EntityManager, account: string): Promise<void> {
    const [, counted] = await manager.query<[unknown, number]>(
      `UPDATE account SET sandbox_approvals_day = today,
         sandbox_approvals = CASE WHEN sandbox_approvals_day = today THEN sandbox_approvals ELSE 0 END + 1
         FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS t
        WHERE id = $1 AND (sandbox_approvals_day IS DISTINCT FROM today OR sandbox_approvals < $2)`,
      [account, MAX_A_DAY],
    );
    if (counted === 1) return;
    throw new ApiError(429, `The account approves at most ${MAX_A_DAY} recipients a day for its sandbox`);
  }

  private open(rows: readonly SandboxRecipientRow[]) {
    return this.vault.openMany<SandboxRecipient>(
      rows.map(({ id, accountId: account, recipient }) => ({
        jwe: recipient,
        expected: { account, type: 'sandbox-recipient', recordId: id },
      })),
    );
  }
}

const rowsOf = (manager: EntityManager, accountId: string): Promise<SandboxRecipientRow[]> =>
  manager.find(SandboxRecipientRow, { where: { accountId }, order: { id: 'ASC' } });

function addressOf(email: string): string {
  const read = parseAddress(email, 'email');
  if (!read.ok) throw new ApiError(400, `email: ${read.refusal.message}`, { field: 'email' });
  return read.value.address;
}
