import { Injectable } from '@nestjs/common';

/** Who takes longer than this, in milliseconds, from the first word of a message on is not waited for: a slow client must not slow others. */
const SOON_MS = 100;

/**
 * Messages that are on their way to a commit: begun by a client, read, or being sealed. A commit costs about as much for one as for
 * twenty, so it waits a little for those that come soon.
 */
@Injectable()
export class ComingMessages {
  /** When each began, monotonic milliseconds: the oldest first. */
  private readonly since = new Map<symbol, number>();

  /** Answers a function to be called when the message is there, or does not come; also more than once. */
  expect(): () => void {
    this.forgetLate();
    const one = Symbol('message');
    this.since.set(one, performance.now());
    return () => void this.since.delete(one);
  }

  /** Whether any comes soon. */
  any(): boolean {
    this.forgetLate();
    return this.since.size > 0;
  }

  private forgetLate(): void {
    const late = performance.now() - SOON_MS;
    for (const [one, began] of this.since) {
      if (began > late) return;
      this.since.delete(one);
    }
  }
}
