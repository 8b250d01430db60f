import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@lethe/database';
import { normalForm } from '@lethe/mail';
import { Log, Rounds } from '@lethe/service';
import { FORGOTTEN, Vault } from '@lethe/vault';

const DAY_MS = 86_400_000;
const BATCH = 500;
/** Before every id. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** Who stays until they are removed: where they are kept, and which column is sealed for them as what. */
const STANDING = [
  { table: 'sandbox_recipient', column: 'recipient', type: 'sandbox-recipient' },
  { table: 'account_user', column: 'person', type: 'user' },
] as const;

interface Standing {
  id: string;
  accountId: string;
  jwe: string;
}

/**
 * Whom an account may try things out with, and who signs in for it, is in use, though nobody mails them: the vault forgets subjects
 * that were unused for 31 days (design §4). Noted once a day; several replicas doing so do no harm.
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
      failed: (error) => log.warn('standing.use-not-noted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async noteUse(): Promise<void> {
    for (const { table, column, type } of STANDING) {
      for (let after = NIL; !this.rounds.stopped;) {
        const { rows } = await this.database.pool.query<Standing>(
          `SELECT id, account_id AS "accountId", ${column} AS jwe FROM ${table} WHERE id > $1 ORDER BY id LIMIT $2`,
          [after, BATCH],
        );
        const last = rows.at(-1);
        if (last === undefined) break;
        await this.note(type, rows);
        after = last.id;
      }
    }
  }

  private async note(type: string, rows: readonly Standing[]): Promise<void> {
    const opened = await this.vault.openMany<{ address: string }>(
      rows.map(({ id, accountId: account, jwe }) => ({ jwe, expected: { account, type, recordId: id } })),
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
