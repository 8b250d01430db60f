import { isAscii } from 'node:buffer';
import { Inject, Injectable } from '@nestjs/common';
import {
  maySend,
  recordId,
  suppressionKey,
  type DomainSettings,
  type Envelope,
  type MailAccepted,
  type Person,
} from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { Clock, CONFIG, isUnavailable, OverloadedError } from '@lethe/service';
import { ForgottenError, Vault, VaultUnavailableError } from '@lethe/vault';
import { ComposerService } from '../compose/composer.service.ts';
import type { Taken } from '../compose/byte-budget.ts';
import { LargeMessages } from '../compose/large-messages.ts';
import { ReturnPaths } from '../compose/return.paths.ts';
import { MAYBE_DUPLICATE_HEADER, NO_HEADER } from '../compose/trace.ts';
import type { DeliveryConfig } from '../config.ts';
import { ExchangeService } from '../exchange/exchange.service.ts';
import type { SenderDemand } from '../exchange/tls.policy.ts';
import type { Scope } from '../holding/hold.entity.ts';
import { HoldsTable } from '../holding/holds.table.ts';
import { IpPools } from '../pools/ip.pools.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { SlotsAway } from '../shaping/slots.ts';
import { ExchangerBusy } from '../smtp/exchanger.ts';
import type { Guard } from '../smtp/guard.ts';
import type { Transmission } from '../smtp/transmission.ts';
import { noSession, type Attempt, type LaterReason, type Outcome } from './attempt.ts';
import type { Flight } from './people.under-way.ts';
import {
  ALLOWED_FOR_MS,
  CANCELLED,
  early,
  expired,
  paused,
  SENDING_DISABLED,
  suppressed,
} from './permission.policy.ts';
import { verdict } from './verdict.policy.ts';

/** A domain younger than this may not have reached our table yet. */
const NEW_DOMAIN_MS = 60_000;
/** Who would come back to a busy exchanger later than this waits in the queue, not in a place for mail that can go. */
const LONG_MS = 5_000;

/** Ends an attempt before any server heard of it. */
class CalledOff extends Error {
  constructor(readonly outcome: Outcome) {
    super('The attempt was called off');
  }
}

interface Allowed {
  readonly domain: DomainSettings;
  readonly envelope: Envelope;
  /** Asks again whether they said stop. */
  readonly stopped: () => Outcome | undefined;
}

const FORGOTTEN: Outcome = { kind: 'forgotten' };
const later = (reason: LaterReason, afterMs: number): Outcome => ({ kind: 'later', reason, afterMs });

const NO_MEMORY = later('memory', 250);

/** One attempt from permission to verdict. It publishes and stores nothing: what it answers is for the caller to keep. */
@Injectable()
export class AttemptService {
  constructor(
    private readonly settings: SettingsService,
    private readonly holds: HoldsTable,
    private readonly vault: Vault,
    private readonly composer: ComposerService,
    private readonly returnPaths: ReturnPaths,
    private readonly large: LargeMessages,
    private readonly exchange: ExchangeService,
    private readonly pools: IpPools,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: DeliveryConfig,
  ) {}

  /** `lost`: whether the attempt is not ours any more; it is asked before the first word to a server. */
  async run(attempt: Attempt, flight: Flight, lost: () => boolean): Promise<Outcome> {
    if (flight.forgotten) return FORGOTTEN;
    flight.again();
    const memory = this.large.take(this.composer.octetsOf(attempt.record));
    if (!memory) return NO_MEMORY;
    try {
      const outcome = await this.try(attempt, flight, memory, lost);
      // Forgotten while its reply was awaited: nobody is left to tell.
      return flight.forgotten ? FORGOTTEN : outcome;
    } catch (error) {
      if (error instanceof CalledOff) return error.outcome;
      if (error instanceof ForgottenError) return FORGOTTEN;
      if (error instanceof ExchangerBusy) return this.back(attempt, error);
      if (isAway(error)) return later('store-away', 1_000);
      throw error;
    } finally {
      memory.release();
    }
  }

  /**
   * After a pause of a site those come first whom it has seen, then the others, and in neither all at once: a server that puts off
   * whoever is new to it would hear strangers alone, and be asked ever more rarely. Whoever cannot wait for so long is told so at its end.
   */
  private back({ number, record }: Attempt, { afterMs, paused }: ExchangerBusy): Outcome {
    const waitMs = paused ? afterMs * (number > 1 ? 1 + 0.1 * Math.random() : 1.2 + 0.2 * Math.random()) : afterMs;
    if (waitMs < LONG_MS) return later('busy', waitMs);
    return { kind: 'waits', until: Math.min(this.clock.now() + waitMs, record.expiresAt) };
  }

  private async try(attempt: Attempt, flight: Flight, memory: Taken, lost: () => boolean): Promise<Outcome> {
    const { record } = attempt;
    let allowedAt = 0;
    const permit = async (): Promise<Allowed> => {
      for (;;) {
        flight.asked();
        const allowed = await this.allow(record);
        if (flight.doubtful) continue;
        allowedAt = performance.now();
        return allowed;
      }
    };
    const { domain, envelope, stopped } = await permit();
    if (record.testMode) {
      return { kind: 'delivered', answer: noSession(650, undefined, 'Test mode: not sent') };
    }
    const { data, utf8, sevenBit } = await this.composer.compose(record, envelope, domain);
    const from = await this.mailFrom(record, domain);
    const to = envelope.address;
    const message: Transmission = {
      from,
      to,
      data,
      sevenBit:
        sevenBit &&
        (() => {
          if (!memory.more(this.composer.octetsOfConversion(record))) throw new CalledOff(NO_MEMORY);
          return sevenBit();
        }),
      prefix: attempt.maybeDuplicate ? MAYBE_DUPLICATE_HEADER : NO_HEADER,
      utf8: utf8 || !isAscii(Buffer.from(`${from}${to}`)),
    };
    const demand = demandOf(record, domain);
    const startedAt = performance.now();
    const guard: Guard = {
      signal: flight.signal,
      beforeFirstWord: async () => {
        flight.begins();
        flight.signal.throwIfAborted();
        if (lost()) throw new CalledOff(later('busy', 0));
        if (!flight.doubtful && performance.now() - allowedAt < ALLOWED_FOR_MS) return;
        const now = await permit();
        // The session was chosen when less was good enough.
        if (isStricter(demandOf(record, now.domain), demand)) throw new CalledOff(later('busy', 0));
      },
      beforeContent: () => {
        if (flight.doubtful) return permit().then(() => flight.writes());
        // A server can take its time over a recipient, and of who said stop the final dot counts.
        const stop = stopped();
        if (stop) throw new CalledOff(stop);
        flight.writes();
        return undefined;
      },
    };
    const result = await this.exchange.send(domainOf(to), message, demand, guard, this.pools.of(record));
    return verdict(result, to, (performance.now() - startedAt) / 1_000);
  }

  /** Whether this may be sent now, and to whom. Fails closed: without fresh tables nothing is. */
  private async allow(record: MailAccepted): Promise<Allowed> {
    if (!this.settings.fresh()) throw new CalledOff(later('not-fresh', 1_000));
    if (this.holds.cancelled(record)) throw new CalledOff(CANCELLED);
    const over = expired(record, this.clock.now()) ?? early(record, this.clock.now());
    if (over) throw new CalledOff(over);
    const { accountId, domainId, messageId, ordinal } = record;
    const assertNotPaused = (scope: Scope, target: string): void => {
      const waits = paused(record, this.holds.pause(scope, target));
      if (waits) throw new CalledOff(waits);
    };
    assertNotPaused('account', accountId);
    assertNotPaused('domain', domainId);
    const domain = this.settings.domain(domainId);
    const account = this.settings.account(accountId);
    if ((!domain || !account) && this.clock.now() - record.acceptedAt < NEW_DOMAIN_MS) {
      throw new CalledOff(later('unknown-domain', 1_000));
    }
    if (!domain || domain.accountId !== accountId || domain.state === 'disabled' || !account) {
      throw new CalledOff(SENDING_DISABLED);
    }
    // What it had handed in stays its own: it goes on when the account does, or expires.
    if (!maySend(account, (id) => this.settings.account(id))) {
      throw new CalledOff({ kind: 'waits', until: this.clock.now() + this.config.SUSPENDED_RECHECK_MS });
    }
    const envelope = await this.vault.open<Envelope>(record.recipient.envelope, {
      account: accountId,
      type: 'envelope',
      recordId: recordId(messageId, ordinal),
    });
    const address = normalForm(envelope.address);
    assertNotPaused('destination', domainOf(address));
    const pseudonym = (await this.vault.pseudonym(accountId, address)).toString('base64url');
    const entry = (scope: string) => this.settings.suppression(suppressionKey(pseudonym, scope));
    const stopped = (): Outcome | undefined => suppressed([entry(domainId), entry(accountId)]);
    const stop = stopped();
    if (stop) throw new CalledOff(stop);
    return { domain, envelope, stopped };
  }

  /** The return path, or the sender's address where there is none; nobody (RFC 5321 §4.5.5) where there is no sender, or it said so. */
  private async mailFrom(record: MailAccepted, domain: DomainSettings): Promise<string> {
    if (record.nullSender) return '';
    const sender = await this.sender(record);
    return sender === '' ? '' : (this.returnPaths.of(record, domain) ?? sender);
  }

  /** Empty if the person behind it is forgotten or not named. */
  private async sender({ accountId, messageId, related }: MailAccepted): Promise<string> {
    const from = related.find(({ role }) => role === 'sender') ?? related.find(({ role }) => role === 'from');
    if (!from) return '';
    try {
      const expected = { account: accountId, type: 'person', recordId: messageId };
      return (await this.vault.open<Person>(from.person, expected)).address;
    } catch (error) {
      if (error instanceof ForgottenError) return '';
      throw error;
    }
  }
}

/** Asked for with the message or by the domain, whose choice reaches mail that was accepted before it, too. */
const demandOf = (record: MailAccepted, domain: DomainSettings): SenderDemand => ({
  requireTls: record.requireTls || domain.requireTls === true,
  skipVerification: record.skipVerification ?? domain.skipVerification ?? false,
});

const isStricter = (now: SenderDemand, then: SenderDemand): boolean =>
  now.requireTls && (!then.requireTls || (then.skipVerification && !now.skipVerification));

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

function isAway(error: unknown): boolean {
  const named = [VaultUnavailableError, OverloadedError, SlotsAway].some((away) => error instanceof away);
  return named || isUnavailable(error);
}
