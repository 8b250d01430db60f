import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { MailAccepted } from '@lethe/contracts';
import { ForgottenError, Vault, VaultUnavailableError } from '@lethe/vault';

/** Trust in what was heard lasts a second; that it has ended is noticed by whoever asks. */
const ASK_EVERY_MS = 250;

/** One attempt at one person, from its beginning until its outcome is kept. */
export class Flight {
  private controller = new AbortController();
  private doubt = false;
  /** The content is going out: a doubt ends it, because nobody can be asked any more. */
  private writing = false;

  constructor(
    readonly record: MailAccepted,
    private readonly vault: Vault,
    readonly end: () => void,
  ) {}

  /** Aborted: the person is forgotten, or may be and it is too late to ask. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The person was forgotten: nothing is sent, kept or said any more. */
  get forgotten(): boolean {
    return this.signal.reason instanceof ForgottenError;
  }

  /** Revocations may have been missed since the vault was asked last. */
  get doubtful(): boolean {
    return !this.vault.healthy() || this.doubt;
  }

  /** The vault is asked now. */
  asked(): void {
    this.doubt = false;
  }

  /** Once more, after a doubt ended it while nothing was sent: the signal is a new one. */
  again(): void {
    if (this.signal.aborted && !this.forgotten) this.controller = new AbortController();
  }

  /** The next transaction begins: nothing of the message is on its way. */
  begins(): void {
    this.writing = false;
  }

  writes(): void {
    this.writing = true;
  }

  revoke(): void {
    this.controller.abort(new ForgottenError('subject'));
  }

  /** What was missed may concern this one. */
  missed(): void {
    this.doubt = true;
    if (this.writing) this.controller.abort(new VaultUnavailableError('revocations may have been missed'));
  }
}

/**
 * Who is being mailed this moment. When somebody is forgotten, an attempt at them ends before its final dot or not at all
 * (design §8): not a pooled session, a composed message or a permission of just now sends one more.
 */
@Injectable()
export class PeopleUnderWay implements OnModuleDestroy {
  private readonly bySubject = new Map<string, Set<Flight>>();
  private readonly asking: NodeJS.Timeout;

  constructor(private readonly vault: Vault) {
    vault.onRevoked((kind, id) => {
      if (kind === 'subject') for (const flight of this.bySubject.get(id) ?? []) flight.revoke();
      if (kind === 'account') for (const flight of this.all()) if (flight.record.accountId === id) flight.revoke();
    });
    vault.onLapsed(() => {
      for (const flight of this.all()) flight.missed();
    });
    this.asking = setInterval(() => this.bySubject.size > 0 && vault.healthy(), ASK_EVERY_MS);
    this.asking.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.asking);
  }

  /** An attempt at the record's recipient begins. */
  begin(record: MailAccepted): Flight {
    const { subject } = record.recipient;
    const flight: Flight = new Flight(record, this.vault, () => {
      const flights = this.bySubject.get(subject);
      flights?.delete(flight);
      if (flights?.size === 0) this.bySubject.delete(subject);
    });
    const flights = this.bySubject.get(subject);
    if (flights) flights.add(flight);
    else this.bySubject.set(subject, new Set([flight]));
    return flight;
  }

  /** Whether no attempt at this person is under way. */
  none(subject: string): boolean {
    return !this.bySubject.has(subject);
  }

  /** All attempts under way. */
  *all(): Generator<Flight> {
    for (const flights of this.bySubject.values()) yield* flights;
  }
}
