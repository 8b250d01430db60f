import { periodOf } from '@lethe/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LedgerEntry, Vault, VaultKeeper } from '../src/index.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });
const dropAt = new Date(Math.floor(Date.now() / 21_600_000) * 21_600_000 + 86_400_000);

let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let keeper: VaultKeeper;
let account: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest');
  delivery = await world.vault('delivery');
  keeper = world.keeper();
  account = await world.account();
});
afterAll(() => world.close());

const person = async (): Promise<string> =>
  (await ingest.subjectsFor(account, [`${randomUUID()}@example.com`]))[0] ?? '';
const seal = (subject: string) =>
  ingest.seal({ account, subject, period: periodOf('e30', Date.now()), type: 'envelope', recordId: 'r/1' }, 'x');
const open = (jwe: string) => delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' });
async function message(): Promise<{ messageId: string; dropAt: Date; key: Buffer }> {
  const made = { messageId: randomUUID(), dropAt };
  const [key] = await ingest.createContentKeys([made]);
  return { ...made, key: key ?? Buffer.alloc(0) };
}
const ref = ({ messageId }: { messageId: string }) => ({ messageId, dropAt });
const ids = (messages: readonly { messageId: string }[]) => new Set(messages.map(({ messageId }) => messageId));
const next = async (): Promise<number> => (await keeper.state()).position + 1;
const entry = (position: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  position,
  subjects: [],
  messages: [],
  ...more,
});
const count = async (sql: string, ids: string[]): Promise<number> =>
  (await world.admin.query<{ n: number }>(`select count(*)::int as n from ${sql}`, [ids])).rows[0]?.n ?? -1;

describe('destroy', () => {
  it('removes secrets, names and content keys, tells everyone, and leaves the rest', async () => {
    const [subject, neighbour] = [await person(), await person()];
    const [gone, kept] = [await message(), await message()];
    const [jwe, theirs] = [await seal(subject), await seal(neighbour)];
    expect([await open(jwe), await open(theirs)]).toEqual(['x', 'x']);
    await delivery.contentKey(gone.messageId, dropAt);
    const position = await next();
    expect(await keeper.destroy([entry(position, { subjects: [subject], messages: [gone] })])).toEqual({
      subjects: 1,
      contentKeys: 1,
      position,
    });
    await vi.waitFor(() => expect(open(jwe)).rejects.toThrow(forgotten), 1000);
    await vi.waitFor(() => expect(delivery.contentKey(gone.messageId, dropAt)).rejects.toThrow(forgotten), 1000);
    expect(await open(theirs)).toBe('x');
    expect(await delivery.contentKey(kept.messageId, dropAt)).toEqual(kept.key);
    expect(await count('vault.subject_secret where subject_id = any($1)', [subject])).toBe(0);
    expect(await count('vault.subject_name where subject_id = any($1)', [subject])).toBe(0);
    expect(await count('vault.content_key where message_id = any($1)', [gone.messageId])).toBe(0);
  });

  it('notes which partitions still hold the bytes, in the same transaction', async () => {
    await world.admin.query('delete from vault.dirty');
    const subject = await person();
    const gone = await message();
    const { rows: places } = await world.admin.query<{ place: string }>(
      `select tableoid::regclass::text as place from vault.subject_secret where subject_id = $1
       union select tableoid::regclass::text from vault.subject_name where subject_id = $1
       union select tableoid::regclass::text from vault.content_key where message_id = $2 order by 1`,
      [subject, gone.messageId],
    );
    expect(places).toHaveLength(3);
    await keeper.destroy([entry(await next(), { subjects: [subject], messages: [gone] })]);
    const { rows } = await world.admin.query('select distinct relation as place from vault.dirty order by 1');
    expect(rows).toEqual(places);
  });

  it('skips what was applied before, and does nothing at a gap', async () => {
    const [one, two, three] = [await person(), await person(), await person()];
    const position = await next();
    const first = entry(position, { subjects: [one] });
    await keeper.destroy([first]);
    expect(await keeper.destroy([first, entry(position + 1, { subjects: [two] })])).toEqual({
      subjects: 1,
      contentKeys: 0,
      position: position + 1,
    });
    const gap = [entry(position + 2, { subjects: [three] }), entry(position + 4)];
    await expect(keeper.destroy(gap)).rejects.toThrow(RangeError);
    await expect(keeper.destroy(gap.toReversed())).rejects.toThrow(RangeError);
    expect((await keeper.state()).position).toBe(position + 1);
    expect(await count('vault.subject_secret where subject_id = any($1)', [three])).toBe(1);
    expect(await keeper.destroy([])).toEqual({ subjects: 0, contentKeys: 0, position: position + 1 });
  });

  it('asked for twice at once, destroys once', async () => {
    const subjects = [await person(), await person()];
    const position = await next();
    const answers = await Promise.all([1, 2, 3].map(() => keeper.destroy([entry(position, { subjects })])));
    expect(answers.reduce((sum, answer) => sum + answer.subjects, 0)).toBe(2);
    expect(answers.map((answer) => answer.position)).toEqual([position, position, position]);
  });

  it('cuts off ids the vault does not know, as one restored from before them', async () => {
    const unknown = randomUUID();
    await keeper.destroy([entry(await next(), { subjects: [unknown] })]);
    expect(await count('vault.subject where cut_off is not null and subject_id = any($1)', [unknown])).toBe(1);
    const create = world.admin.query('select vault.create_subjects($1, $2, $3, $4)', [
      [account],
      [Buffer.from('name')],
      [unknown],
      [Buffer.alloc(40)],
    ]);
    await expect(create).rejects.toThrow('subject_pkey');
    await expect(seal(unknown)).rejects.toThrow(forgotten);
  });
});

describe('a condemned content key', () => {
  it('is gone for ingest at once and there for delivery, also when it was cached, until it is destroyed', async () => {
    const [condemned, other] = [await message(), await message()];
    expect(await delivery.contentKey(condemned.messageId, dropAt)).toEqual(condemned.key);
    const requestId = randomUUID();
    await ingest.condemnContentKeys(requestId, [condemned, { messageId: randomUUID(), dropAt }]);
    await vi.waitFor(() => expect(ingest.contentKey(condemned.messageId, dropAt)).rejects.toThrow(forgotten), 1000);
    await expect(ingest.createContentKeys([condemned])).rejects.toThrow(forgotten);
    expect(await delivery.contentKey(condemned.messageId, dropAt)).toEqual(condemned.key);
    expect(await ingest.contentKey(other.messageId, dropAt)).toEqual(other.key);
    expect(await keeper.condemned(requestId)).toEqual([ref(condemned)]);
    await keeper.destroy([entry(await next(), { messages: [condemned] })]);
    await vi.waitFor(() => expect(delivery.contentKey(condemned.messageId, dropAt)).rejects.toThrow(forgotten), 1000);
  });

  it('is one of each request that condemned it, whichever had it destroyed, and of no other', async () => {
    const [first, shared, second, late] = [await message(), await message(), await message(), await message()];
    const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
    await ingest.condemnContentKeys(one, [first, shared]);
    await ingest.condemnContentKeys(two, [shared, second, late]);
    await ingest.condemnContentKeys(two, [shared]);
    const own = async (requestId: string) => ids(await keeper.condemned(requestId));
    const [ofOne, ofTwo] = [ids([first, shared]), ids([shared, second, late])];
    expect([await own(one), await own(two), await own(three)]).toEqual([ofOne, ofTwo, new Set()]);
    await keeper.destroy([entry(await next(), { messages: [first, shared] })]);
    expect([await own(one), await own(two)]).toEqual([ofOne, ofTwo]);
    // Whoever comes when the key is gone already has it among its own too.
    await ingest.condemnContentKeys(three, [shared, { messageId: randomUUID(), dropAt }]);
    expect(await own(three)).toEqual(ids([shared]));
    expect(await keeper.condemned(two, 2)).toHaveLength(2);
    await keeper.destroy([entry(await next(), { messages: [second, late] })]);
  });

  it('that is left is listed page by page, without what only early requests condemned', async () => {
    const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
    const mine = await Promise.all(Array.from({ length: 5 }, message));
    const both = await message();
    const early = await message();
    await ingest.condemnContentKeys(one, mine.slice(0, 3));
    await ingest.condemnContentKeys(two, [...mine.slice(3), both]);
    await ingest.condemnContentKeys(three, [both, early]);
    const inOrder = [...mine, both].map(ref).toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1));
    const first = await keeper.condemnedLeft([three], undefined, 4);
    const rest = await keeper.condemnedLeft([three], first.at(-1), 4);
    expect([first, rest]).toEqual([inOrder.slice(0, 4), inOrder.slice(4)]);
    expect(ids(await keeper.condemnedLeft([]))).toEqual(ids([...mine, both, early]));
    await keeper.destroy([entry(await next(), { messages: [...mine, both] })]);
    expect(await keeper.condemnedLeft([])).toEqual([ref(early)]);
  });
});
