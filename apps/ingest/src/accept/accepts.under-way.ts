import { Injectable } from '@nestjs/common';
import { Vault } from '@lethe/vault';
import type { SealedMessage } from './records.ts';

/** One request on its way to its commit. */
export interface Accept {
  /**
   * Whether what was sealed since it began may be committed: not if one of its people (or its account) was revoked meanwhile.
   * `unsure`: revocations may have been missed, so the vault has to be asked again; see `asked`.
   */
  standing(message: SealedMessage): 'stands' | 'revoked' | 'unsure';
  /** The vault is asked again now: what it revokes from here on is heard. */
  asked(): void;
  end(): void;
}

/**
 * A message sealed before an erasure's cut-off must not be committed after it: nobody would look for it any more. The keys
 * say so, but a commit needs none. So everyone under way hears what is revoked, and is asked right before its commit; the
 * fence waits for the commits that had been asked before.
 */
@Injectable()
export class AcceptsUnderWay {
  /** In the order of their beginning. */
  private readonly running = new Set<{ readonly since: number; sureSince: number }>();
  /** People and accounts revoked of late, and when: kept as long as somebody runs who began before. */
  private readonly revoked = new Map<string, number>();
  /** Counts what was heard. */
  private now = 0;
  private lapsedAt = -1;

  constructor(private readonly vault: Vault) {
    vault.onRevoked((kind, id) => {
      if ((kind === 'subject' || kind === 'account') && this.running.size > 0) this.revoked.set(id, ++this.now);
    });
    vault.onLapsed(() => {
      this.lapsedAt = ++this.now;
    });
  }

  begin(): Accept {
    const accept = { since: this.now, sureSince: this.now };
    this.running.add(accept);
    return {
      standing: (message) => {
        // A lapse is noticed by whoever asks.
        const heard = this.vault.healthy();
        if (this.revoked.size > 0 && this.concerns(message)) return 'revoked';
        return heard && this.lapsedAt <= accept.sureSince ? 'stands' : 'unsure';
      },
      asked: () => {
        accept.sureSince = this.now;
      },
      end: () => {
        this.running.delete(accept);
        if (this.revoked.size > 0) this.forget();
      },
    };
  }

  private concerns({ recipients, senders, named, domain }: SealedMessage): boolean {
    return (
      this.revoked.has(domain.accountId) ||
      [recipients, senders, named].some((people) => people.some(({ subject }) => this.revoked.has(subject)))
    );
  }

  /** What everybody who runs had heard of before it began. */
  private forget(): void {
    const oldest = this.running.values().next().value?.since ?? this.now;
    for (const [id, at] of this.revoked) {
      if (at > oldest) return;
      this.revoked.delete(id);
    }
  }
}
