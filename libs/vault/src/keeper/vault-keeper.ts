import { columns, type ContentKeyOf } from '../content/content-keys.ts';
import { KeyWrap } from '../crypto/key-wrap.ts';
import { VaultSetupError } from '../errors.ts';
import { VaultDatabase } from '../keys/vault-database.ts';
import type { SubjectId } from '../subjects/subjects.ts';
import { forgetDue, makeAhead, readings } from './forgetting.ts';
import type { Forgotten, VaultReading } from './forgetting.ts';
import { physicalPass } from './physical-pass.ts';

/** What one entry of the ledger of destruction orders. `position` counts from 1, without gaps. */
export interface LedgerEntry {
  readonly position: number;
  /** Closed: its secret goes, and with `forgetClosed` those of its people. */
  readonly account?: string;
  readonly subjects: readonly SubjectId[];
  readonly messages: readonly ContentKeyOf[];
}

export interface Fence {
  readonly cutOff: Date;
  readonly subjects: { pseudonym: Buffer; subject: SubjectId }[];
}

export interface VaultState {
  /** The last ledger entry that was applied. */
  readonly position: number;
  /** Whether the vault answers: opened for this start of its server. */
  readonly open: boolean;
  readonly startedAt: Date;
}

/** Before every content key. */
const FIRST: ContentKeyOf = { messageId: '00000000-0000-0000-0000-000000000000', dropAt: new Date(0) };

/** Forgotten in one transaction: each is announced to everybody. */
const PEOPLE_AT_ONCE = 1_000;

export interface KeeperOptions {
  /** PostgreSQL URL of the role `privacy` in the vault. */
  url: string;
  /** How long a call may take, in milliseconds; the keeper's calls are large. Default 30,000. */
  timeoutMs?: number;
  /** Key-encryption key, 32 bytes (`readKek`): for `makeAhead` alone. */
  kek?: Buffer;
}

/**
 * What the privacy service alone does in the vault: fences people off, destroys keys, opens the vault after a start. Every call
 * may be repeated, and rejects with VaultUnavailableError (try again), RangeError (a ledger that does not fit), or VaultSetupError.
 */
export class VaultKeeper {
  private readonly database: VaultDatabase;
  private readonly url: string;
  private readonly timeoutMs: number;
  private readonly keyWrap: KeyWrap | undefined;

  constructor({ url, timeoutMs = 30_000, kek }: KeeperOptions) {
    this.url = url;
    this.timeoutMs = timeoutMs;
    this.keyWrap = kek && new KeyWrap(kek);
    this.database = new VaultDatabase(url, { connections: 2, timeoutMs });
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /**
   * Cuts off everyone these pseudonyms lead to, in one transaction, and answers them with those whom unfinished erasures cut off
   * under the same pseudonyms. The same request id is answered the same until `endFence`. From the answer on their keys are refused
   * everywhere within the trust window (a second); who comes back becomes somebody new.
   */
  async fence(requestId: string, accountId: string, pseudonyms: readonly Buffer[]): Promise<Fence> {
    const rows = await this.database.call<{ at: Date; pseudonym: Buffer | null; subject: SubjectId | null }>('fence', [
      requestId,
      accountId,
      [...pseudonyms],
    ]);
    const [first] = rows;
    if (first === undefined) throw new Error('The vault answered a fence without a cut-off');
    const subjects = rows.flatMap(({ pseudonym, subject }) =>
      pseudonym === null || subject === null ? [] : [{ pseudonym, subject }],
    );
    return { cutOff: first.at, subjects };
  }

  /** The erasure is over: its pseudonyms are forgotten (their bytes with the next physical pass). */
  async endFence(requestId: string): Promise<void> {
    await this.database.call('end_fence', [requestId]);
  }

  async state(): Promise<VaultState> {
    const [row] = await this.database.call<{ reached: string; opened: boolean; started_at: Date }>('read_state', []);
    if (row === undefined) throw new Error('The vault has no state');
    return { position: Number(row.reached), open: row.opened, startedAt: row.started_at };
  }

  /** Opens the vault for this start of its server; false if it has not applied the ledger up to exactly `position`. */
  async open(position: number): Promise<boolean> {
    return (await this.database.value<boolean>('open_at', [position])) === true;
  }

  /**
   * Destroys what the entries name, in their order, in one transaction with the position they lead to. Entries that were applied
   * before are skipped; a gap is a RangeError, and nothing is applied. Answers what this call destroyed.
   */
  async destroy(entries: readonly LedgerEntry[]): Promise<{ subjects: number; contentKeys: number; position: number }> {
    const [row] = await this.database.call<{ subjects: number; content_keys: number; reached: string }>('destroy', [
      JSON.stringify(entries),
    ]);
    if (row === undefined) throw new Error('The vault did not say what it destroyed');
    return { subjects: row.subjects, contentKeys: row.content_keys, position: Number(row.reached) };
  }

  /**
   * Content keys that a request condemned, the first to be dropped first, behind `after`; until their drop time also those that another request's
   * ledger entry has destroyed.
   */
  async condemned(requestId: string, limit = 1000, after: ContentKeyOf = FIRST): Promise<ContentKeyOf[]> {
    const { dropAt, messageId } = after;
    return toKeys(await this.database.call<CondemnedRow>('list_condemned', [requestId, dropAt, messageId, limit]));
  }

  /**
   * A page of the condemned keys that are still there, in order, behind `after`; without those that only `early` requests condemned.
   */
  async condemnedLeft(early: readonly string[], after: ContentKeyOf = FIRST, limit = 1000): Promise<ContentKeyOf[]> {
    const { dropAt, messageId } = after;
    return toKeys(await this.database.call<CondemnedRow>('list_left', [[...early], dropAt, messageId, limit]));
  }

  /** Content keys that delivery has given up, the first to be dropped first. */
  async givenUp(limit = 1000): Promise<ContentKeyOf[]> {
    return toKeys(await this.database.call<CondemnedRow>('list_given_up', [limit]));
  }

  /**
   * Destroys content keys past the ledger: the caller has noted until their drop time that they have to be gone, and repeats this for a
   * vault that comes back from a backup. Answers how many were there.
   */
  async release(messages: readonly ContentKeyOf[]): Promise<number> {
    return (await this.database.value<number>('release_content_keys', columns(messages))) ?? 0;
  }

  /**
   * Brings what `destroy`, `release`, `endFence` and `forgetDue` deleted out of the vault's files, WAL included. Answers since when it is out.
   * Safe to repeat after a kill; VaultUnavailableError where an older snapshot or a lock stands in the way.
   */
  physicalPass(): Promise<Date> {
    return physicalPass({ url: this.url, timeoutMs: this.timeoutMs });
  }

  /** Forgets the people of accounts that `destroy` has closed, with their names and secrets; resolves when none is left. */
  async forgetClosed(): Promise<void> {
    while (((await this.database.value<number>('forget_closed', [PEOPLE_AT_ONCE])) ?? 0) > 0);
  }

  /** What is still there of an account: its own secret, and secrets and names of its people. */
  async accountResidual(accountId: string): Promise<{ accounts: number; secrets: number; names: number }> {
    const [row] = await this.database.call<{ accounts: number; secrets: number; names: number }>('account_residual', [
      accountId,
    ]);
    if (row === undefined) throw new Error('The vault did not say what is left of an account');
    return row;
  }

  /** What is still there of these subjects: both 0 once they were destroyed. */
  async residual(subjects: readonly SubjectId[]): Promise<{ secrets: number; names: number }> {
    const [row] = await this.database.call<{ secrets: number; names: number }>('residual', [[...subjects]]);
    if (row === undefined) throw new Error('The vault did not say what is left');
    return row;
  }

  /** Secrets of the current and the next bucket of every class, and partitions ahead. Answers how many secrets were new. */
  async makeAhead(): Promise<number> {
    if (this.keyWrap === undefined) throw new VaultSetupError('Making secrets ahead needs the key-encryption key');
    return makeAhead(this.database, this.keyWrap, Date.now());
  }

  /**
   * Deletes period secrets and content keys before their limits, and subjects unused for 31 days; their bytes go with the next physical
   * pass. Until nothing is due, and some minutes at most: what it leaves then, the next call takes.
   */
  forgetDue(): Promise<Forgotten> {
    return forgetDue(this.database);
  }

  /** The oldest key of each kind that has a limit, for retention readings. */
  readings(): Promise<VaultReading[]> {
    return readings(this.database);
  }
}

interface CondemnedRow {
  message: string;
  drop_at: Date;
}

const toKeys = (rows: readonly CondemnedRow[]): ContentKeyOf[] =>
  rows.map((row) => ({ messageId: row.message, dropAt: row.drop_at }));
