import { unlessAborted, type Guard } from '../smtp/guard.ts';
import { SmtpRefused, type SmtpConnection } from '../smtp/smtp-connection.ts';
import { SmtpBroken } from '../smtp/smtp-error.ts';
import type { SmtpTarget } from '../smtp/smtp-options.ts';
import type { SmtpPool } from '../smtp/smtp-pool.ts';
import type { Transmission } from '../smtp/transmission.ts';
import type { ExchangeResult, Refusal } from './exchange-result.ts';
import type { Exchanger, RouteService } from './route.service.ts';

const NO_CONNECTION: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.1', why: 'no-connection' };
const LOST: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.2', why: 'connection-lost' };
const NO_TLS: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.10', why: 'tls-unavailable' };

/**
 * Hands one message for one recipient to an exchanger of the recipient's domain: the first that can be spoken to decides.
 */
export class ExchangeService {
  constructor(
    private readonly routes: RouteService,
    private readonly pool: SmtpPool,
  ) {}

  /**
   * `domain` is ASCII. Throws ExchangerBusy when too much waits for that exchanger, and what the guard throws or its signal
   * says: then no server has the message.
   */
  async send(domain: string, message: Transmission, requireTls: boolean, guard: Guard): Promise<ExchangeResult> {
    const route = await unlessAborted(guard.signal, this.routes.find(domain));
    if ('refused' in route) return { refusal: route, ambiguous: false, tls: false };
    let last: ExchangeResult = { refusal: NO_CONNECTION, ambiguous: false, tls: false };
    for (const exchanger of route.exchangers) {
      const result = await this.ask(exchanger, message, requireTls, guard);
      // A reply to the message decides, good or bad; so does not knowing whether the server has it.
      if ((result.reply && !result.refusal) || result.ambiguous) return result;
      last = result;
    }
    return last;
  }

  /** A session may have been closed by the server while it was idle: then one more, new or not, is tried at once. */
  private async ask(
    exchanger: Exchanger,
    message: Transmission,
    requireTls: boolean,
    guard: Guard,
  ): Promise<ExchangeResult> {
    const target = { ...exchanger, tls: requireTls ? ('required' as const) : ('opportunistic' as const) };
    for (let again = true; ; again = false) {
      let connection: SmtpConnection;
      try {
        connection = await this.session(target, guard.signal);
      } catch (error) {
        return notConnected(exchanger, error);
      }
      const used = connection.messages > 0;
      const { tls } = connection;
      const { host } = exchanger;
      try {
        await guard.beforeFirstWord();
        return { reply: await connection.send(message, guard), ambiguous: false, tls, host };
      } catch (error) {
        if (!(error instanceof SmtpBroken)) throw error;
        const stale = used && again && error.at === 'envelope' && error.code !== 'timeout';
        if (!stale) return { refusal: LOST, ambiguous: error.ambiguous, tls, host };
      } finally {
        this.pool.release(connection);
      }
    }
  }

  /** One that comes too late goes back to the others. */
  private session(target: SmtpTarget, signal: AbortSignal): Promise<SmtpConnection> {
    return unlessAborted(signal, this.pool.acquire(target), (late) => this.pool.release(late));
  }
}

function notConnected({ host }: Exchanger, error: unknown): ExchangeResult {
  if (error instanceof SmtpRefused) {
    // A greeting of 5xx speaks about this host and moment, not about the recipient (RFC 5321 §3.1): others may take it.
    return { reply: error.reply, refusal: NO_CONNECTION, ambiguous: false, tls: false, host };
  }
  if (error instanceof SmtpBroken) {
    return { refusal: error.at === 'tls' ? NO_TLS : NO_CONNECTION, ambiguous: false, tls: false, host };
  }
  throw error;
}
