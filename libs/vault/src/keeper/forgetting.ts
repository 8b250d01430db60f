import { RETENTION, periodOf } from '@lethe/contracts';
import type { Period, RetentionClass } from '@lethe/contracts';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import type { VaultDatabase } from '../keys/vault-database.ts';

/** Subjects forgotten in one transaction. */
const SUBJECTS_AT_ONCE = 500;
/** How long one call goes on forgetting of one kind: what is gone waits meanwhile to leave the files. The next call goes on. */
const LONGEST_MS = 120_000;

/**
 * Days without use after which a subject is forgotten; the day of last use is not counted, as it is known by its date only. It goes
 * an hour before they are over, so that the limit below holds for millions that are due at once.
 */
export const UNUSED_DAYS = 31;

const DAY_MS = 86_400_000;
export const SUBJECT_LIMIT_MS = (UNUSED_DAYS + 1) * DAY_MS;

export interface Forgotten {
  periods: number;
  contentKeys: number;
  subjects: number;
}

/** What has come to its limit by the vault's clock. What is deleted is marked for the next physical pass. */
export async function forgetDue(database: VaultDatabase): Promise<Forgotten> {
  const periods = (await database.value<number>('forget_periods')) ?? 0;
  const contentKeys = await repeat(() => database.value<number>('forget_drop_bucket'));
  const subjects = await repeat(
    async () => (await database.value<number>('forget_subjects', [SUBJECTS_AT_ONCE])) || null,
  );
  await repeat(async () => ((await database.value<boolean>('forget_week')) ? 1 : null));
  return { periods, contentKeys, subjects };
}

async function repeat(forget: () => Promise<number | null>): Promise<number> {
  const end = performance.now() + LONGEST_MS;
  let total = 0;
  do {
    const gone = await forget();
    if (gone === null) break;
    total += gone;
  } while (performance.now() < end);
  return total;
}

/**
 * Makes the secrets of the current bucket and the next of every class, and partitions ahead, so that no message waits for them.
 * Answers how many secrets were new.
 */
export async function makeAhead(database: VaultDatabase, keyWrap: KeyWrap, now: number): Promise<number> {
  await database.call('prepare_ahead', []);
  const classes = Object.keys(RETENTION) as RetentionClass[];
  const wanted = classes.flatMap((name): Period[] => [
    periodOf(name, now),
    periodOf(name, now + RETENTION[name].bucketMs),
  ]);
  const secrets = wanted.map(() => keyWrap.generateWrapped());
  const offered = new Set(secrets.map((secret) => secret.toString('base64')));
  const inForce = await database.call<{ secret: Buffer }>('create_periods', [
    wanted.map((period) => period.class),
    wanted.map((period) => period.bucket),
    secrets,
  ]);
  return inForce.filter(({ secret }) => offered.has(secret.toString('base64'))).length;
}

export interface VaultReading {
  /** As `VAULT_STORES` names it. */
  store: string;
  class: string;
  limitSeconds: number;
  /** Epoch ms; null: there is none. */
  oldestAt: number | null;
}

/** How old the oldest key of each kind may be at most; see `vault.read_ages` for what is measured. */
export async function readings(database: VaultDatabase): Promise<VaultReading[]> {
  const rows = await database.call<{ store: string; class: string; oldest: Date | null }>('read_ages', []);
  return rows.map((row) => ({
    store: `vault.${row.store}`,
    class: row.class,
    limitSeconds: limitOf(row.class) / 1000,
    oldestAt: row.oldest?.getTime() ?? null,
  }));
}

const limitOf = (name: string): number =>
  name === 'subject' ? SUBJECT_LIMIT_MS : RETENTION[name as RetentionClass].limitMs;
