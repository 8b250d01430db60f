import { Pace } from '../shaping/pace.policy.ts';
import { hashOf, type SiteRule } from '../shaping/shaping.rules.ts';
import type { Slot } from '../shaping/slots.ts';
import type { Exchanger } from './exchanger.ts';
import type { SmtpConnection } from './smtp-connection.ts';

/** What this process has of one site: its slots, and the sessions in them, with however many exchangers. */
export class Site {
  exchangers = 0;
  /** Exchangers for which somebody waits. */
  readonly waitingFor = new Set<Exchanger>();
  readonly sessions = new Set<SmtpConnection>();
  /** Those of them that nobody uses, the one that is idle longest first. */
  readonly idle = new Set<SmtpConnection>();
  /** Slots in which a session is opened, open, or not closed yet. */
  readonly used = new Set<Slot>();
  /** Slots without a session that rest: they are kept, so that nobody has to begin resting anew. */
  readonly spare = new Set<Slot>();
  /** Slots that others get as soon as their sessions are closed. */
  readonly promised = new WeakSet<Slot>();
  /** Slots that are asked for just now. */
  asked = 0;
  /** Others want one, and have fewer than we: the next session that has had its time ends. */
  owes = false;
  /** No slot is asked for before, by the monotonic clock. */
  askAt = 0;
  /** Since when one more was wanted and none was free. */
  wantingSince: number | undefined;
  readonly pace: Pace;
  readonly hash: number;

  constructor(readonly rule: SiteRule) {
    this.hash = hashOf(rule.site);
    this.pace = new Pace(rule.sessions);
  }

  get have(): number {
    return this.used.size + this.spare.size;
  }

  /** Whether it may have one session more. */
  get room(): boolean {
    return this.used.size + this.asked < this.pace.allowed;
  }

  /** The exchanger for which somebody has waited longest. */
  longestWaiting(): Exchanger | undefined {
    let longest: Exchanger | undefined;
    for (const exchanger of this.waitingFor) {
      if (longest === undefined || exchanger.waitsSince < longest.waitsSince) longest = exchanger;
    }
    return longest;
  }
}
