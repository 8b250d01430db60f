import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { SandboxRecipient } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { normalForm } from '@lethe/mail';
import { Log, Rounds } from '@lethe/service';
import { FORGOTTEN, Vault } from '@lethe/vault';
import { MoreThan } from 'typeorm';
import { SandboxRecipientRow } from './sandbox-recipient.entity.ts';

const DAY_MS = 86_400_000;
const BATCH = 500;
/** Before every id. */
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * Whom an account may try things out with is in use, though nobody mails them: the vault forgets subjects that were unused for
 * 31 days (design §4). Noted once a day; several replicas doing so do no harm.
 */
@Injectable()
export class StandingUseWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    log: Log,
  ) {
    this.rounds = new Rounds({
      everyMs: DAY_MS,
      work: () => this.noteUse(),
      failed: (error) => log.warn('sandbox.use-not-noted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async noteUse(): Promise<void> {
    for (let after = NIL; !this.rounds.stopped;) {
      const rows = await this.database.dataSource.manager.find(SandboxRecipientRow, {
        where: { id: MoreThan(after) },
        order: { id: 'ASC' },
        take: BATCH,
      });
      const last = rows.at(-1);
      if (last === undefined) return;
      await this.note(rows);
      after = last.id;
    }
  }

  private async note(rows: readonly SandboxRecipientRow[]): Promise<void> {
    const opened = await this.vault.openMany<SandboxRecipient>(
      rows.map(({ id, accountId: account, recipient }) => ({
        jwe: recipient,
        expected: { account, type: 'sandbox-recipient', recordId: id },
      })),
    );
    const accounts = new Map<string, string[]>();
    for (const [index, { accountId }] of rows.entries()) {
      const part = opened[index];
      if (part === undefined || part === FORGOTTEN) continue;
      const known = accounts.get(accountId) ?? [];
      accounts.set(accountId, [...known, normalForm(part.address)]);
    }
    for (const [accountId, normalForms] of accounts) {
      await this.vault.useSubjects(accountId, await this.vault.pseudonyms(accountId, normalForms));
    }
  }
}
