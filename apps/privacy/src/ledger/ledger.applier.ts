import { Log } from '@lethe/service';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { FenceRepeater } from './fence.repeater.ts';
import { LedgerRepository } from './ledger.repository.ts';
import { ReleasedRepository } from './released.repository.ts';
import { SharedRun } from './shared.run.ts';

/** Entries for one call of the vault; each may name ten thousand subjects. */
const AT_ONCE = 20;
/** Content keys in one. */
const KEYS_AT_ONCE = 5_000;

/**
 * Brings the vault to where the ledger is. Destroying keys for a request and bringing a restored vault up to date are the same
 * work, and all of it may be repeated after a kill.
 */
@Injectable()
export class LedgerApplier {
  private readonly applying = new SharedRun(() => this.apply());
  private readonly passing: SharedRun<Date>;

  constructor(
    private readonly ledger: LedgerRepository,
    private readonly keeper: VaultKeeper,
    private readonly fences: FenceRepeater,
    private readonly released: ReleasedRepository,
    private readonly log: Log,
  ) {
    this.passing = new SharedRun(() => keeper.physicalPass());
  }

  /** Resolves once the vault has applied everything the ledger has now. */
  async reach(): Promise<void> {
    await this.applying.run();
  }

  /** Resolves once the people of all closed accounts are forgotten: there may be more than one transaction takes. */
  forgetClosed(): Promise<void> {
    return this.keeper.forgetClosed();
  }

  /** Rewrites what deleted keys lay in; whoever waits shares one pass. Since when the bytes are gone. */
  physicalPass(): Promise<Date> {
    return this.passing.run();
  }

  /**
   * After a start of the vault's server: applies what it has not applied, cuts off whom unfinished requests cut off, releases the keys of
   * messages that had been released, rewrites, opens it. Nothing to do is the rule, and cheap.
   */
  async ensure(): Promise<void> {
    const { position, open } = await this.keeper.state();
    if (open && position >= (await this.ledger.head())) return;
    const reached = await this.applying.run();
    if (open) return;
    await this.fences.repeat();
    await this.keeper.forgetClosed();
    for await (const keys of this.released.pages(KEYS_AT_ONCE)) await this.keeper.release(keys);
    await this.physicalPass();
    // False: an entry was added meanwhile. The next look has it.
    if (await this.keeper.open(reached))
      this.log.info('vault.opened', { position: reached, applied: reached - position });
  }

  private async apply(): Promise<number> {
    let { position } = await this.keeper.state();
    for (;;) {
      const entries = await this.ledger.after(position, AT_ONCE);
      if (entries.length === 0) return position;
      const done = await this.keeper.destroy(
        entries.map(({ position: at, kind, accountId, subjects, messages }) => ({
          position: at,
          ...(kind === 'account' && accountId !== null ? { account: accountId } : {}),
          subjects,
          messages,
        })),
      );
      this.log.info('vault.keys-destroyed', {
        position: done.position,
        subjects: done.subjects,
        bodies: done.contentKeys,
      });
      position = done.position;
    }
  }
}
