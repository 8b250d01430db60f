import { periodOf } from '@lethe/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Vault, VaultKeeper } from '../src/index.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const PATIENT = { timeoutMs: 20_000 };
const forgotten = expect.objectContaining({ name: 'ForgottenError' });

let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let keeper: VaultKeeper;
let account: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest', PATIENT);
  delivery = await world.vault('delivery');
  // Three processes that create without a pause leave little of a small machine to whoever fences.
  keeper = world.keeper(PATIENT);
  account = await world.account();
});
afterAll(() => world.close());

const address = (): string => `${randomUUID()}@example.com`;
const subjectOf = async (form: string, vault = ingest): Promise<string> =>
  (await vault.subjectsFor(account, [form]))[0] ?? '';
const fence = async (forms: string[], requestId: string = randomUUID()) =>
  keeper.fence(requestId, account, await ingest.pseudonyms(account, forms));
const seal = (subject: string) =>
  ingest.seal({ account, subject, period: periodOf('e30', Date.now()), type: 'envelope', recordId: 'r/1' }, 'x');
const open = (jwe: string) => delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' });

describe('a fence', () => {
  it('answers whom it cut off, and when; their keys are refused and heard of, everyone else’s are not', async () => {
    const [known, other, unknown] = [address(), address(), address()];
    const [subject, neighbour] = [await subjectOf(known), await subjectOf(other)];
    const [jwe, theirs] = [await seal(subject), await seal(neighbour)];
    expect(await open(jwe)).toBe('x');
    const heard = vi.fn<(kind: string, id: string) => void>();
    delivery.onRevoked(heard);
    const before = Date.now();
    const { cutOff, subjects } = await fence([known, unknown]);
    expect(cutOff.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(cutOff.getTime()).toBeLessThanOrEqual(Date.now() + 1);
    expect(subjects).toEqual([{ pseudonym: await ingest.pseudonym(account, known), subject }]);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('subject', subject), 1000);
    await expect(open(jwe)).rejects.toThrow(forgotten);
    expect(await open(theirs)).toBe('x');
    await vi.waitFor(() => expect(seal(subject)).rejects.toThrow(forgotten), 1000);
  });

  it('is the same when asked again, also at once, and whoever has come back meanwhile is not in it', async () => {
    const form = address();
    const subject = await subjectOf(form);
    const requestId = randomUUID();
    const answers = await Promise.all([1, 2, 3].map(() => fence([form], requestId)));
    const newcomer = await subjectOf(form, await world.vault('ingest'));
    expect(newcomer).not.toBe(subject);
    answers.push(await fence([form], requestId));
    expect(answers.map(({ subjects }) => subjects.map((row) => row.subject))).toEqual(
      [1, 2, 3, 4].map(() => [subject]),
    );
    expect(new Set(answers.map(({ cutOff }) => cutOff.getTime())).size).toBe(1);
    expect(await subjectOf(form, await world.vault('ingest'))).toBe(newcomer);
  });

  it('takes in those whom an unfinished erasure of the same person cut off; a finished one no more', async () => {
    const form = address();
    const first = await subjectOf(form);
    const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
    await fence([form], one);
    const second = await subjectOf(form, await world.vault('ingest'));
    const ids = async (requestId: string) => (await fence([form], requestId)).subjects.map(({ subject }) => subject);
    expect((await ids(two)).toSorted()).toEqual([first, second].toSorted());
    await keeper.endFence(one);
    await keeper.endFence(two);
    await keeper.endFence(two);
    expect(await ids(three)).toEqual([]);
  });

  it('of somebody else’s account is another matter', async () => {
    const form = address();
    const subject = await subjectOf(form);
    const elsewhere = await world.account();
    const pseudonyms = await ingest.pseudonyms(account, [form]);
    expect((await keeper.fence(randomUUID(), elsewhere, pseudonyms)).subjects).toEqual([]);
    expect(await subjectOf(form, await world.vault('ingest'))).toBe(subject);
  });

  it('tells suppression the pseudonyms until it is over, also those that led to nobody', async () => {
    const [form, unknown] = [address(), address()];
    const subject = await subjectOf(form);
    const requestId = randomUUID();
    const { subjects } = await fence([form, unknown, unknown], requestId);
    expect(subjects.map((row) => row.subject)).toEqual([subject]);
    const suppression = await world.vault('suppression');
    expect(await suppression.fencedPseudonyms(requestId)).toEqual([
      { subject, pseudonym: await ingest.pseudonym(account, form) },
      { subject: null, pseudonym: await ingest.pseudonym(account, unknown) },
    ]);
    // Nobody is nobody of a later one either, and who is there by then is found.
    const [later, newcomer] = [randomUUID(), await subjectOf(unknown)];
    expect((await fence([unknown], later)).subjects.map((row) => row.subject)).toEqual([newcomer]);
    expect((await suppression.fencedPseudonyms(later)).map((row) => row.subject)).toEqual([newcomer]);
    await keeper.endFence(requestId);
    expect(await suppression.fencedPseudonyms(requestId)).toEqual([]);
    await expect(ingest.fencedPseudonyms(requestId)).rejects.toThrow('may not call vault.fenced_pseudonyms');
  });
});

describe('at the same time', () => {
  it('creators and fences: everyone created is either in a fence or in use', async () => {
    const forms = Array.from({ length: 40 }, address);
    const doors = await Promise.all([1, 2, 3].map(() => world.vault('ingest')));
    const made = new Set<string>();
    const fenced = new Map<string, number>();
    const stop = new AbortController();
    const create = async (door: Vault): Promise<void> => {
      while (!stop.signal.aborted) {
        const ids = await Promise.all(forms.map((form) => door.subjectsFor(account, [form]).catch(() => [undefined])));
        for (const [id] of ids) if (id !== undefined) made.add(id);
      }
    };
    const creating = doors.map((door) => create(door));
    try {
      for (let round = 0; round < 15; round += 1) {
        const fences = await Promise.all([
          fence(forms.slice(0, 25)),
          fence(forms.slice(15).toReversed()),
          fence(forms.slice(0, 25).toReversed()),
        ]);
        for (const { cutOff, subjects } of fences) {
          for (const { subject } of subjects) fenced.set(subject, fenced.get(subject) ?? cutOff.getTime());
        }
      }
    } finally {
      stop.abort();
      await Promise.all(creating);
    }
    const { rows } = await world.admin.query<{ id: string; at: Date | null; named: boolean }>(
      `select s.subject_id as id, s.cut_off as at,
         exists (select from vault.subject_name n where n.subject_id = s.subject_id) as named
       from vault.subject s where s.subject_id = any($1)`,
      [[...made]],
    );
    expect(rows.length).toBeGreaterThan(40);
    expect(fenced.size).toBeGreaterThan(40);
    for (const { id, at, named } of rows) {
      expect([id, at !== null, named]).toEqual([id, fenced.has(id), !fenced.has(id)]);
    }
  });

  it('a fence waits for who is just being created', async () => {
    const form = address();
    const pseudonym = await ingest.pseudonym(account, form);
    const id = randomUUID();
    await world.admin.query('begin');
    await world.admin.query('select vault.create_subjects($1, $2, $3, $4)', [
      [account],
      [pseudonym],
      [id],
      [Buffer.alloc(40)],
    ]);
    const fencing = fence([form]);
    const first = await Promise.race([fencing, new Promise((resolve) => setTimeout(() => resolve('waits'), 300))]);
    await world.admin.query('commit');
    expect(first).toBe('waits');
    expect((await fencing).subjects.map(({ subject }) => subject)).toEqual([id]);
  });
});

describe('keyed hashes', () => {
  it('differ by account, purpose and text, and from pseudonyms', async () => {
    const form = address();
    const hashes = await Promise.all([
      ingest.keyedHash(account, 'receipt', form),
      ingest.keyedHash(account, 'idempotency', form),
      ingest.keyedHash(await world.account(), 'receipt', form),
      ingest.keyedHash(account, 'receipt', `${form} `),
      ingest.pseudonym(account, form),
    ]);
    expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(5);
    expect(await delivery.keyedHash(account, 'receipt', form)).toEqual(hashes[0]);
    expect(hashes[0]).toHaveLength(32);
  });
});

it('whoever standing data refers to is in use today, and nobody else is', async () => {
  const [used, unused] = [address(), address()];
  const subjects = [await subjectOf(used), await subjectOf(unused)];
  await world.admin.query(`update vault.subject set last_used = last_used - 20 where subject_id = any($1)`, [subjects]);
  const suppression = await world.vault('suppression');
  await suppression.useSubjects(account, await suppression.pseudonyms(account, [used, address()]));
  const { rows } = await world.admin.query<{ today: boolean }>(
    `select last_used = (now() at time zone 'UTC')::date as today from unnest($1::uuid[]) with ordinality as wanted(id, n)
     join vault.subject on subject_id = id order by n`,
    [subjects],
  );
  expect(rows).toEqual([{ today: true }, { today: false }]);
});
