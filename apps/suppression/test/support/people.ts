import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { DoNotContact } from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { PersonalDataHolder, type ErasureScope } from '@lethe/privacy-holder';
import { until } from '@lethe/testing';
import type { Reason } from '../../src/entries/entry.ts';
import type { Domain, Surroundings } from './surroundings.ts';

export const holderOf = ({ replicas: [first] }: Surroundings): PersonalDataHolder => first.get(PersonalDataHolder);

export async function subjectOf({ vault }: Surroundings, { account }: Domain, address: string): Promise<string> {
  const [subject] = await vault.ingest.subjectsFor(account, [normalForm(address)]);
  return subject;
}

/** A new person who bounced. */
export async function bounced(around: Surroundings, domain: Domain, ...addresses: string[]): Promise<void> {
  const { status } = await around.call(
    domain,
    'POST',
    '',
    addresses.map((address) => ({ address })),
  );
  if (status !== 200) throw new Error(`bounces were not taken: ${status}`);
}

/** An entry for a reason that no route makes yet, as it will lie there. */
export async function entered(around: Surroundings, domain: Domain, address: string, reason: Reason): Promise<void> {
  const { account, domainId } = domain;
  const [id, subject] = [randomUUIDv7(), await subjectOf(around, domain, address)];
  const seal = { account, subject, period: 'standing', type: 'suppression', recordId: id } as const;
  const sealed = await around.vault.suppression.seal(seal, { address, code: 0, error: '' });
  const pseudonym = await around.vault.suppression.pseudonym(account, normalForm(address));
  await around.database.query(`INSERT INTO suppression VALUES ($1, $2, $3, $4, $5, $6, $7, now())`, [
    domainId,
    reason,
    pseudonym,
    id,
    account,
    subject,
    sealed,
  ]);
}

/** As privacy begins: the vault cuts these people off, everybody has heard of it, and the holder is told. */
export async function fenced(
  around: Surroundings,
  { account }: Domain,
  addresses: string[],
  doNotContact: DoNotContact,
): Promise<ErasureScope> {
  const requestId = randomUUID();
  const pseudonyms = await around.vault.suppression.pseudonyms(account, addresses.map(normalForm));
  const { cutOff, subjects } = await around.keeper.fence(requestId, account, pseudonyms);
  const scope: ErasureScope = {
    requestId,
    accountId: account,
    subjects: new Set(subjects.map(({ subject }) => subject)),
    cutOff: cutOff.getTime(),
    doNotContact,
  };
  await holderOf(around).fence(scope);
  return scope;
}

/** What delivery finds of an address: for its domain, and for the account as a whole. */
export async function heldOf(around: Surroundings, domain: Domain, address: string) {
  const normal = normalForm(address);
  const reasons = async (scope?: string) =>
    around.table.get(await around.keyOf(domain, normal, scope))?.reasons.join(' ') ?? null;
  return { domain: await reasons(), account: await reasons(domain.account) };
}

export async function becomes(read: () => Promise<unknown>, expected: unknown): Promise<unknown> {
  const wanted = JSON.stringify(expected);
  let last: unknown;
  await until(async () => JSON.stringify((last = await read())) === wanted, 5_000, 10);
  return last;
}
