import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log, Rounds } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { MembersRepository } from './members.repository.ts';

/** Well within the 31 days after which the vault forgets who is unused. */
const EVERY_MS = 8 * 3_600_000;
const BATCH = 500;

/**
 * Who is on a list is in use, though nobody mails them: the vault forgets subjects that were unused for 31 days (design §4).
 * Noted several times a day, in every replica, which does no harm. Whom it has forgotten all the same goes: nothing opens it.
 */
@Injectable()
export class MembersUseWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly vault: Vault,
    private readonly members: MembersRepository,
    private readonly log: Log,
  ) {
    this.rounds = new Rounds({
      everyMs: EVERY_MS,
      work: () => this.noteUse(),
      failed: (error) => this.log.warn('lists.use-not-noted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async noteUse(): Promise<void> {
    let batch = await this.members.everybody(undefined, BATCH);
    for (; batch.length > 0 && !this.rounds.stopped; batch = await this.members.everybody(batch.at(-1), BATCH)) {
      const known = await this.vault.useKnownSubjects(batch);
      const forgotten = batch.filter((subject) => !known.has(subject));
      if (forgotten.length === 0) continue;
      let gone = 0;
      for (let some = 1; some > 0; gone += some) some = await this.members.removeEverywhere(forgotten, BATCH);
      this.log.warn('lists.members-forgotten', { count: gone });
    }
  }
}
