import { randomUUIDv7 } from 'node:crypto';
import type { Suppression } from '@lethe/contracts';
import type { Vault } from '@lethe/vault';
import type { Entry } from './entry.ts';

/** An entry about somebody whom the vault knows. `part`: what is sealed of it, under their key. @throws ForgottenError */
export async function newEntry(
  vault: Vault,
  about: Omit<Entry, 'id' | 'sealed'> & { readonly subjectId: string },
  part: Suppression,
): Promise<Entry> {
  const id = randomUUIDv7();
  const { accountId: account, subjectId: subject } = about;
  const seal = { account, subject, period: 'standing', type: 'suppression', recordId: id } as const;
  return { ...about, id, sealed: await vault.seal(seal, part) };
}
