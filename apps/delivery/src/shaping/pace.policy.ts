/**
 * What a site said or did: took a message; answered what says nothing of its state; put a message off; put us off (421, 4.7.x); or
 * could not be reached, or broke off.
 */
export type Heard = 'taken' | 'answered' | 'deferred' | 'pushed-back' | 'lost';
export type Change = 'slowed' | 'paused' | 'recovering' | 'recovered';

const LOST_IN_A_ROW = 3;
const DEFERRED_IN_A_ROW = 10;
/** What lies further apart is no run. */
const RUN_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const REMEMBERED_MS = 600_000;

/**
 * How many sessions this process has with one site: half as many whenever it does not keep up, then one with growing pauses; one more
 * for each round of messages that it takes. Who only puts off one message after the other is left a quarter. Times are monotonic milliseconds.
 */
export class Pace {
  private sessions: number;
  /** Taken since the last change. */
  private taken = 0;
  private lost = 0;
  private deferred = 0;
  private failedAt = Number.NEGATIVE_INFINITY;
  private pauseMs = 0;
  private slowedAt = Number.NEGATIVE_INFINITY;
  /** Nothing begins before. */
  pausedUntil = 0;
  /** It was slowed because nobody is there, not because somebody asked for it. */
  unreachable = false;

  constructor(private readonly most: number) {
    this.sessions = most;
  }

  get allowed(): number {
    return this.sessions;
  }

  /** `beganAt`: of the message or session it was said to. Answers what changed by it. */
  heard(what: Heard, beganAt: number, now: number): Change | undefined {
    const gone = what === 'lost' || what === 'pushed-back';
    if (what !== 'lost') this.lost = 0;
    // Somebody is there, and speaks of the message alone.
    if (!gone) this.pauseMs = 0;
    if (what === 'taken') return this.faster();
    if (what === 'answered') return undefined;
    // It began before the last change, and says nothing about what there is since.
    if (beganAt < this.slowedAt) return undefined;
    if (now - this.failedAt > RUN_MS) this.lost = this.deferred = 0;
    this.failedAt = now;
    if (what === 'deferred') return this.put(now);
    // After a pause the first word counts.
    if (what === 'lost' && (this.lost += 1) < LOST_IN_A_ROW && this.pauseMs === 0) return undefined;
    this.unreachable = what === 'lost';
    return this.slower(now);
  }

  /** Whether nothing is lost by forgetting it. */
  forgettable(now: number): boolean {
    return this.sessions === this.most ? this.pauseMs === 0 : now - this.slowedAt > REMEMBERED_MS;
  }

  /** A run of deferrals may be about those it was sent to: it makes a site slow, but does not stop it. */
  private put(now: number): Change | undefined {
    this.deferred += 1;
    if (this.deferred < DEFERRED_IN_A_ROW) return undefined;
    this.deferred = 0;
    const fewer = Math.max(Math.floor(this.sessions / 2), Math.ceil(this.most / 4));
    if (fewer >= this.sessions) return undefined;
    this.sessions = fewer;
    this.taken = 0;
    this.slowedAt = now;
    return 'slowed';
  }

  private faster(): Change | undefined {
    this.deferred = 0;
    if (this.sessions === this.most) return undefined;
    this.taken += 1;
    if (this.taken < this.sessions) return undefined;
    this.taken = 0;
    this.sessions += 1;
    return this.sessions === this.most ? 'recovered' : 'recovering';
  }

  private slower(now: number): Change {
    this.slowedAt = now;
    this.taken = this.lost = this.deferred = 0;
    if (this.sessions > 1) {
      this.sessions = Math.floor(this.sessions / 2);
      return 'slowed';
    }
    this.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, 2 * this.pauseMs), LONGEST_PAUSE_MS);
    this.pausedUntil = now + this.pauseMs;
    return 'paused';
  }
}
