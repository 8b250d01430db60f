/** Where a session broke. Enumerated: goes into logs and metrics. */
export type BreakPoint = 'connect' | 'greeting' | 'hello' | 'tls' | 'login' | 'envelope' | 'content' | 'final-dot';

/**
 * The session ended without a reply that decides about the message. Always temporary; `ambiguous` tells whether the
 * server may have taken the message nevertheless (RFC 1047): everything up to the final dot was handed to the network, and
 * no reply came.
 */
export class SmtpBroken extends Error {
  override readonly name = 'SmtpBroken';

  constructor(
    readonly at: BreakPoint,
    /** What happened there, enumerated or a system error code. */
    readonly code: string,
  ) {
    super(`The SMTP session broke (${at}: ${code})`);
  }

  get ambiguous(): boolean {
    return this.at === 'final-dot';
  }
}
