import type { DkimKeyRow } from './dkim-key.entity.ts';

type Key = Pick<DkimKeyRow, 'id' | 'active' | 'activatedAt' | 'dnsCheck'>;

/**
 * The key mail is signed with: of the active ones that which became so last. Another active key is there for mail signed before,
 * which receivers may verify for days, and to go back to.
 */
export function signingKey<K extends Key>(keys: readonly K[]): K | undefined {
  const since = ({ activatedAt }: Key): number => activatedAt?.getTime() ?? 0;
  // Ids are made in the order of time.
  return keys.filter(({ active }) => active).toSorted((a, b) => since(b) - since(a) || (a.id < b.id ? 1 : -1))[0];
}

/** A new key takes over as soon as receivers can find it. One that was made inactive stays so until somebody asks for it. */
export function takesOver({ active, activatedAt, dnsCheck }: Key): boolean {
  return !active && activatedAt === null && dnsCheck === 'valid';
}

/** Without it nothing could be signed: it is neither made inactive nor removed. */
export function isOnlyActive(key: Key, keys: readonly Key[]): boolean {
  return key.active && !keys.some((other) => other.active && other.id !== key.id);
}
