import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { EntriesRepository } from '../entries/entries.repository.ts';

const DAY_MS = 86_400_000;
/** After a start, and after a failure. */
const SOON_MS = 300_000;
const BATCH = 500;

/**
 * Whom standing entries refer to is in use, though nobody mails them: the vault forgets subjects that were unused for 31 days
 * (design §4), and with them what the lists show. Noted once a day; several replicas doing so do no harm.
 */
@Injectable()
export class StandingUseWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly vault: Vault,
    private readonly repository: EntriesRepository,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(SOON_MS * Math.random());
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Goes through all entries once; answers how many people they refer to. */
  async noteUse(): Promise<number> {
    let people = 0;
    let after: { accountId: string; pseudonym: Buffer } | undefined;
    while (!this.stopped) {
      const batch = await this.repository.referredTo(after, BATCH);
      after = batch.at(-1);
      if (after === undefined) break;
      for (const [accountId, pseudonyms] of byAccount(batch)) await this.vault.useSubjects(accountId, pseudonyms);
      people += batch.length;
    }
    return people;
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, afterMs).unref();
  }

  private async run(): Promise<void> {
    try {
      this.log.info('suppression.use-noted', { people: await this.noteUse() });
      this.schedule(DAY_MS);
    } catch (error) {
      this.log.warn('suppression.use-not-noted', { error });
      this.schedule(SOON_MS);
    }
  }
}

function byAccount(people: readonly { accountId: string; pseudonym: Buffer }[]): Map<string, Buffer[]> {
  const accounts = new Map<string, Buffer[]>();
  for (const { accountId, pseudonym } of people) {
    const known = accounts.get(accountId);
    if (known) known.push(pseudonym);
    else accounts.set(accountId, [pseudonym]);
  }
  return accounts;
}
