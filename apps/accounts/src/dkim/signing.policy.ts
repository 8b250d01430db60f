import type { DkimKeyRow } from './dkim-key.entity.ts';
import type { Algorithm } from './dkim-key-pair.ts';

type Key = Pick<DkimKeyRow, 'id' | 'algorithm' | 'active' | 'activatedAt' | 'dnsCheck'>;

/**
 * The key of that kind mail is signed with: of the active ones that which became so last. Another active key is there for mail signed before,
 * which receivers may verify for days, and to go back to.
 */
export function signingKey<K extends Key>(keys: readonly K[], algorithm: Algorithm): K | undefined {
  const since = ({ activatedAt }: Key): number => activatedAt?.getTime() ?? 0;
  // Ids are made in the order of time.
  return keys
    .filter((key) => key.active && key.algorithm === algorithm)
    .toSorted((a, b) => since(b) - since(a) || (a.id < b.id ? 1 : -1))[0];
}

/** A new key takes over as soon as receivers can find it. One that was made inactive stays so until somebody asks for it. */
export function takesOver({ active, activatedAt, dnsCheck }: Key): boolean {
  return !active && activatedAt === null && dnsCheck === 'valid';
}

/** Without it nothing would be signed that everybody verifies: it is neither made inactive nor removed. */
export function isOnlyActive(key: Key, keys: readonly Key[]): boolean {
  const signs = (one: Key): boolean => one.active && one.algorithm === 'rsa';
  return signs(key) && !keys.some((other) => signs(other) && other.id !== key.id);
}
