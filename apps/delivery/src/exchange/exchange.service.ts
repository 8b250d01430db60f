import { isIP } from 'node:net';
import { classifyReply, enhancedCode } from '@lethe/mail';
import type { PoolAddress } from '../pools/ip.pools.ts';
import type { WarmUpService } from '../pools/warm-up.service.ts';
import { providerOf } from '../shaping/providers.ts';
import type { Heard } from '../shaping/pace.policy.ts';
import { ExchangerBusy } from '../smtp/exchanger.ts';
import { unlessAborted, type Guard } from '../smtp/guard.ts';
import { SmtpRefused, type SmtpConnection } from '../smtp/smtp-connection.ts';
import { TLS_FAULTS, type CertificateProof, type TlsFault } from '../smtp/certificate-proof.ts';
import { SmtpBroken } from '../smtp/smtp-error.ts';
import type { SmtpReply } from '../smtp/reply-parser.ts';
import type { SmtpTarget, Source } from '../smtp/smtp-options.ts';
import type { SmtpPool } from '../smtp/smtp-pool.ts';
import type { Transmission } from '../smtp/transmission.ts';
import type { ExchangeResult, Refusal } from './exchange-result.ts';
import type { Exchanger, RouteService } from './route.service.ts';
import { countTls } from './tls.metrics.ts';
import { sessionDemand, type HostDemand, type SenderDemand } from './tls.policy.ts';

const NO_CONNECTION: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.1', why: 'no-connection' };
const LOST: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.2', why: 'connection-lost' };
const NO_TLS: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.10', why: 'tls-unavailable' };
const NOT_PROVED: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.5', why: 'not-authenticated' };
const NOT_LET_IN: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.8', why: 'login-refused' };
const MORNING_MS = 3_600_000;
const NO_SESSION = { ambiguous: false, tls: false, verified: false };

type Policy = CertificateProof['policy'];

/**
 * Hands one message for one recipient to an exchanger of the recipient's domain: the first that can be spoken to decides.
 */
export class ExchangeService {
  private readonly counted = new WeakSet<SmtpConnection>();

  constructor(
    private readonly routes: RouteService,
    private readonly pool: SmtpPool,
    private readonly warmUp: WarmUpService,
  ) {}

  /**
   * `domain` is ASCII. `sources`: our addresses it may leave from, in order; none: the system chooses. Throws ExchangerBusy when too much waits for that exchanger, SlotsAway when no session may be opened at all, and
   * what the guard throws or its signal says: then no server has the message.
   */
  async send(
    domain: string,
    message: Transmission,
    demand: SenderDemand,
    guard: Guard,
    sources: readonly PoolAddress[] = [],
  ): Promise<ExchangeResult> {
    const route = await unlessAborted(guard.signal, this.routes.find(domain));
    if ('refused' in route) return { refusal: route, ...NO_SESSION };
    let last: ExchangeResult | undefined;
    let dead: ExchangerBusy | undefined;
    let unreached: ExchangeResult | undefined;
    for (const exchanger of route.exchangers) {
      const bound = sources.length > 0 && !exchanger.relay;
      const asking = bound
        ? this.askFrom(sources, exchanger, message, demand, guard)
        : this.ask(exchanger, message, demand, guard);
      const result = await asking.catch(unlessUnreachable);
      if (result instanceof ExchangerBusy) {
        // It may be there again long before another of our addresses may send to the next one.
        if (dead === undefined || result.afterMs < dead.afterMs) dead = result;
        continue;
      }
      if (result === undefined) {
        unreached = { refusal: NO_CONNECTION, ...NO_SESSION, host: exchanger.host };
        continue;
      }
      // A reply to the message decides, good or bad; so does not knowing whether the server has it.
      if ((result.reply && !result.refusal) || result.ambiguous) return result;
      // What was published about it may have changed: the next attempt asks again.
      if (isTls(result.refusal)) this.routes.doubt(domain);
      last = result;
    }
    if (last === undefined && dead) throw dead;
    return last ?? unreached ?? { refusal: NO_CONNECTION, ...NO_SESSION };
  }

  /** From the first of our addresses that may send to it today. Undefined: none of them could ever reach it. */
  private async askFrom(
    sources: readonly PoolAddress[],
    exchanger: Exchanger,
    message: Transmission,
    demand: SenderDemand,
    guard: Guard,
  ): Promise<ExchangeResult | undefined> {
    const { host, address } = exchanger;
    const ours = sources.filter((source) => isIP(source.address) === isIP(address));
    for (const source of ours) {
      const giveBack = await this.warmUp.take(source, providerOf(host));
      if (!giveBack) continue;
      let said = false;
      try {
        const result = await this.ask(exchanger, message, demand, guard, source);
        said = result.refusal === undefined || result.ambiguous;
        return result;
      } finally {
        if (!said) giveBack();
      }
    }
    if (ours.length === 0) return undefined;
    // All have sent what they may today. Not all of it in the first second of tomorrow. The next exchanger may be reached from others.
    throw new ExchangerBusy(this.warmUp.untilTomorrow() + Math.random() * MORNING_MS, { unreachable: true });
  }

  /** A session may have been closed by the server while it was idle: then one more, new or not, is tried at once. */
  private async ask(
    exchanger: Exchanger,
    message: Transmission,
    demand: SenderDemand,
    guard: Guard,
    source?: Source,
  ): Promise<ExchangeResult> {
    const { host, address, port, login, demand: theirs } = exchanger;
    if (theirs.kind === 'closed' && theirs.refusal.why === 'sts-not-named') countTls('sts', 'validation-failure', host);
    if (theirs.kind === 'closed') return { refusal: theirs.refusal, ...NO_SESSION, host };
    const target: SmtpTarget = {
      host,
      address,
      port,
      ...sessionDemand(host, theirs, demand),
      ...(login ? { login } : {}),
      ...(source ? { source } : {}),
    };
    const policy = target.proof?.policy ?? policyOf(theirs);
    for (let again = true; ; again = false) {
      let connection: SmtpConnection;
      try {
        connection = await this.session(target, guard.signal);
      } catch (error) {
        this.count(policy, faultOf(error), host);
        return notConnected(host, policy, error);
      }
      const used = connection.messages > 0;
      const { tls, fault } = connection;
      const verified = tls && fault === undefined;
      if (!this.counted.has(connection)) this.count(policy, came(theirs, connection), host);
      this.counted.add(connection);
      let heard: Heard | undefined;
      try {
        await guard.beforeFirstWord();
        const reply = await connection.send(message, guard);
        heard = heardIn(reply);
        return { reply, ambiguous: false, tls, verified, host };
      } catch (error) {
        if (!(error instanceof SmtpBroken)) throw error;
        const stale = used && again && error.at === 'envelope' && error.code !== 'timeout';
        if (stale) continue;
        heard = 'lost';
        return { refusal: LOST, ambiguous: error.ambiguous, tls, verified, host };
      } finally {
        this.pool.release(connection, heard);
      }
    }
  }

  /** A session is counted once. No result is a session that ended before it came to TLS. */
  private count(policy: Policy, result: TlsFault | 'success' | undefined, host: string): void {
    if (result) countTls(policy === 'own' ? 'no-policy-found' : policy, result, host);
  }

  /** One that comes too late goes back to the others. */
  private session(target: SmtpTarget, signal: AbortSignal): Promise<SmtpConnection> {
    return unlessAborted(signal, this.pool.acquire(target), (late) => this.pool.release(late));
  }
}

/** Nobody has answered there of late, or we have sent it what we may today, and it is let alone: the next exchanger may take it. */
function unlessUnreachable(error: unknown): ExchangerBusy {
  if (error instanceof ExchangerBusy && error.unreachable) return error;
  throw error;
}

/** What a reply says of the server. Greylisting looks at each recipient, and wants no more than time. */
function heardIn({ code, text }: SmtpReply): Heard {
  if (code < 300) return 'taken';
  if (code >= 500) return 'answered';
  if (code === 421) return 'pushed-back';
  const enhanced = enhancedCode(text);
  if (classifyReply(code, enhanced, text).reason === 'greylisted') return 'answered';
  return enhanced?.startsWith('4.7.') ? 'pushed-back' : 'deferred';
}

function notConnected(host: string, policy: Policy, error: unknown): ExchangeResult {
  if (error instanceof SmtpRefused) {
    // A greeting of 5xx speaks about this host and moment, not about the recipient (RFC 5321 §3.1): others may take it.
    return { reply: error.reply, refusal: NO_CONNECTION, ...NO_SESSION, host };
  }
  if (!(error instanceof SmtpBroken)) throw error;
  if (error.at === 'login') return { refusal: NOT_LET_IN, ...NO_SESSION, host };
  const fault = faultOf(error);
  if (fault === undefined) return { refusal: NO_CONNECTION, ...NO_SESSION, host };
  const refusal = fault === 'starttls-not-supported' ? NO_TLS : NOT_PROVED;
  return { refusal: { ...refusal, tls: { fault, policy } }, ...NO_SESSION, host };
}

/** What a session came to, by what was asked for. Where nobody asks for more, a certificate that proves nothing is none the worse. */
function came(theirs: HostDemand, { tls, fault }: SmtpConnection): TlsFault | 'success' {
  if (theirs.kind === 'watched' && !theirs.named) return 'validation-failure';
  return (theirs.kind === 'none' && tls) || fault === undefined ? 'success' : fault;
}

/** Whose word it is where nothing has to be proved. */
function policyOf({ kind }: HostDemand): Policy {
  if (kind === 'encrypted') return 'tlsa';
  return kind === 'watched' ? 'sts' : 'own';
}

/** What was wrong with TLS; undefined if the session ended elsewhere. */
function faultOf(error: unknown): TlsFault | undefined {
  if (!(error instanceof SmtpBroken) || error.at !== 'tls') return undefined;
  return TLS_FAULTS.find((fault) => fault === error.code) ?? 'validation-failure';
}

const isTls = (refusal: Refusal | undefined): boolean =>
  refusal !== undefined && refusal.enhancedCode.startsWith('4.7');
