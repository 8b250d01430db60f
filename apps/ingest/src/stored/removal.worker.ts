import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@lethe/database';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { type IngestConfig } from '../config.ts';
import { StoredRepository } from './stored.repository.ts';

/**
 * Gives the content keys of removed messages up, in every replica: they are condemned in the vault, so that delivery alone may
 * still read them, and `privacy` destroys them when nobody waits for the message any more (Art. 17 GDPR; design §4). A message
 * is marked after the vault has taken it: a kill in between repeats the call, which changes nothing.
 */
@Injectable()
export class RemovalWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly stored: StoredRepository,
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly log: Log,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.STORED_FORGET_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('stored.removal-interrupted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    for (let some = 1; some > 0 && !this.rounds.stopped;) some = await this.condemnSome();
  }

  private condemnSome(): Promise<number> {
    return this.database.withClientTransaction(async (client) => {
      const messages = await this.stored.removed(client);
      if (messages.length === 0) return 0;
      await this.vault.condemnContentKeys(randomUUIDv7(), messages);
      const ids = messages.map(({ messageId }) => messageId);
      await this.stored.condemned(client, ids);
      this.log.info('stored.condemned', { messages: messages.length });
      return messages.length;
    });
  }
}
