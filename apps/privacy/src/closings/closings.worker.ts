import { ACCOUNT_SETTINGS, type AccountSettings } from '@lethe/contracts';
import { InjectTable, LocalTable } from '@lethe/kafka';
import { CONFIG } from '@lethe/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import type { PrivacyConfig } from '../config.ts';
import { ClosingsRepository } from './closings.repository.ts';

const TASK = 'closings';
export type ClosedAccount = AccountSettings & { closing: NonNullable<AccountSettings['closing']> };

/**
 * Takes up closed accounts, as `account-settings` shows them: the record is the order. It stays there until accounts has erased the
 * account, which it does when it is asked to from here, so none is missed.
 */
@Injectable()
export class ClosingsWorker implements OnApplicationBootstrap {
  /** Closed, and not known to be taken up. */
  private readonly closed = new Map<string, ClosedAccount>();
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly active: ActiveWorker,
    private readonly closings: ClosingsRepository,
    @InjectTable(ACCOUNT_SETTINGS) accounts: LocalTable<typeof ACCOUNT_SETTINGS>,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {
    accounts.onChange((key, now) => {
      if (!now?.closing) return void this.closed.delete(key);
      this.closed.set(key, { ...now, closing: now.closing });
      this.active.wake(TASK);
    });
  }

  onApplicationBootstrap(): void {
    this.active.add({ name: TASK, everyMs: this.config.REQUEST_POLL_MS, run: () => this.look() });
  }

  /** Called after an account was taken up. */
  onReceived(listener: () => void): void {
    this.listeners.push(listener);
  }

  private async look(): Promise<void> {
    for (const [key, account] of this.closed) {
      await this.closings.receive(account);
      if (this.closed.get(key) === account) this.closed.delete(key);
      for (const listener of this.listeners) listener();
    }
  }
}
