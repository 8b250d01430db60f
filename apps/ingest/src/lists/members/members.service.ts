import { Inject, Injectable } from '@nestjs/common';
import type { ListMember } from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { ApiError, CONFIG, Semaphore } from '@lethe/service';
import { FORGOTTEN, ForgottenError, Vault } from '@lethe/vault';
import type { PoolClient } from 'pg';
import { type IngestConfig } from '../../config.ts';
import { listNotFound, type ListRow } from '../list.ts';
import { notThere, type Page } from '../lists.service.ts';
import type { OffsetQuery, PageQuery, Slice } from '../page.ts';
import { invalid } from '../../form/refusals.ts';
import type { MemberInput, readChange } from './member.input.ts';
import { memberNotFound, memberRecord, type Member, type MemberRow } from './member.ts';
import { MembersRepository, type NewMember } from './members.repository.ts';

/** Members of one transaction and of one call of the vault. */
const CHUNK = 500;
/** Each change holds a connection of the pool; messages are committed beside them. */
const CHANGES_AT_ONCE = 2;
const CHANGES_WAITING = 256;

/** Who is there before, and what of it stays. */
type Before = ReadonlyMap<string, { row: MemberRow; content: ListMember | undefined }>;

/** Members of a list: each sealed under their own key, and found by their subject. A door: who is new becomes a subject. */
@Injectable()
export class MembersService {
  private readonly changes = new Semaphore(CHANGES_AT_ONCE, CHANGES_WAITING);

  constructor(
    private readonly vault: Vault,
    private readonly members: MembersRepository,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /** @throws ApiError 400 where they are a member already, without `upsert`. */
  async add(list: ListRow, input: MemberInput, upsert: boolean): Promise<Member> {
    return this.change(list, async (client, count) => {
      const [subject = ''] = await this.vault.subjectsFor(list.account_id, [input.normalForm]);
      const before = await this.before(client, list, [subject]);
      const there = before.get(subject);
      if (there && !upsert) throw invalid('address', 'it is a member already: send upsert=yes to change it');
      if (!there) this.assertRoom(count + 1);
      const content = contentOf(input, there?.content);
      const [row] = await this.members.put(client, [
        await this.seal(list, subject, content, input.subscribed ?? there?.row.subscribed ?? true),
      ]);
      return { ...content, row: row as MemberRow };
    });
  }

  /**
   * Many, some in one transaction: what a kill interrupts is made good by the same again. Without `upsert` who is there stays
   * as they are, and of those who come twice the first counts.
   */
  async addAll(list: ListRow, inputs: Iterable<MemberInput>, upsert: boolean): Promise<void> {
    let chunk = new Map<string, MemberInput>();
    for (const input of inputs) {
      const known = chunk.get(input.normalForm);
      if (!known) chunk.set(input.normalForm, input);
      else if (upsert) chunk.set(input.normalForm, later(known, input));
      if (chunk.size < CHUNK) continue;
      await this.addChunk(list, [...chunk.values()], upsert);
      chunk = new Map();
    }
    if (chunk.size > 0) await this.addChunk(list, [...chunk.values()], upsert);
  }

  /** @throws ApiError 404. */
  async get(list: ListRow, address: string | undefined): Promise<Member> {
    const member = address === undefined ? undefined : await this.find(list, address);
    if (!member) throw memberNotFound();
    return member;
  }

  /** @throws ApiError 404; 400 where the new address is another member's. */
  async update(list: ListRow, address: string | undefined, change: ReturnType<typeof readChange>): Promise<Member> {
    if (address === undefined) throw memberNotFound();
    const { account_id: account } = list;
    return this.change(list, async (client) => {
      const [subject] = await this.vault.knownSubjects(account, [address]);
      const before = subject === undefined ? undefined : (await this.before(client, list, [subject])).get(subject);
      if (subject === undefined || !before?.content) throw memberNotFound();
      const content = {
        address: change.to?.address ?? before.content.address,
        name: change.name ?? before.content.name,
        vars: change.vars ?? before.content.vars,
      };
      const [now = subject] = change.to ? await this.vault.subjectsFor(account, [change.to.normalForm]) : [];
      if (now !== subject && (await this.before(client, list, [now])).size > 0) {
        throw invalid('address', 'it is a member already');
      }
      const member = await this.seal(list, now, content, change.subscribed ?? before.row.subscribed);
      const row = await this.members.replace(client, subject, member);
      return { ...content, row: row as MemberRow };
    });
  }

  /** Answers the address. @throws ApiError 404. */
  async remove(list: ListRow, address: string | undefined): Promise<string> {
    const member = await this.get(list, address);
    const gone = await this.change(list, (client) => this.members.remove(client, list.id, member.row.subject_id));
    if (gone === 0) throw memberNotFound();
    return member.address;
  }

  /** An empty page means that there is nothing more: who is being erased this moment is passed over. */
  async page(list: ListRow, query: PageQuery): Promise<Page<Member>> {
    const { backwards, subscribed, limit: most } = query;
    let position = query.position ?? (await this.positionOf(list, query.pivot));
    for (;;) {
      const rows = await this.members.slice(list.id, subscribed, { position, backwards, most });
      position = rows.at(-1)?.seq;
      if (backwards) rows.reverse();
      const items = await this.open(list.account_id, rows);
      const [first, last] = [rows[0]?.seq, rows.at(-1)?.seq];
      if (first === undefined || last === undefined) return { items, edges: undefined };
      if (items.length === 0) continue;
      return {
        items,
        edges: {
          first: { position: first, address: items[0]?.address },
          last: { position: last, address: items.at(-1)?.address },
        },
      };
    }
  }

  async offset(list: ListRow, query: OffsetQuery): Promise<{ items: readonly Member[]; total: number }> {
    const { address, subscribed, skip, limit } = query;
    if (address === undefined) {
      const { rows, total } = await this.members.offset(list.id, query);
      return { items: await this.open(list.account_id, rows), total };
    }
    const member = await this.find(list, address);
    const found = member && (subscribed === undefined || member.row.subscribed === subscribed) ? [member] : [];
    return { items: found.slice(skip, skip + limit), total: found.length };
  }

  /** Whom mail to the list goes to, some at a time. */
  async subscribed(list: ListRow, slice: Omit<Slice, 'backwards'>): Promise<{ members: Member[]; position?: string }> {
    const rows = await this.members.slice(list.id, true, { ...slice, backwards: false });
    const position = rows.at(-1)?.seq;
    return { members: await this.open(list.account_id, rows), ...(position === undefined ? {} : { position }) };
  }

  private async addChunk(list: ListRow, inputs: readonly MemberInput[], upsert: boolean): Promise<void> {
    await this.change(list, async (client, count) => {
      const subjects = await this.vault.subjectsFor(
        list.account_id,
        inputs.map((input) => input.normalForm),
      );
      const before = await this.before(client, list, subjects);
      const wanted = inputs
        .map((input, index) => ({ input, subject: subjects[index] as string }))
        .filter(({ subject }) => upsert || !before.has(subject));
      this.assertRoom(count + wanted.filter(({ subject }) => !before.has(subject)).length);
      const rows = await Promise.all(
        wanted.map(({ input, subject }) => {
          const there = before.get(subject);
          const subscribed = input.subscribed ?? there?.row.subscribed ?? true;
          return this.seal(list, subject, contentOf(input, there?.content), subscribed);
        }),
      );
      await this.members.put(client, rows);
    });
  }

  /** Within it everything is asked of the vault: a fence waits for those that have begun. @throws ApiError 404, 503. */
  private change<T>(list: ListRow, work: (client: PoolClient, count: number) => Promise<T>): Promise<T> {
    return this.changes.run(async () => {
      try {
        return await this.members.change(async (client) => {
          const count = await this.members.lock(client, list.id);
          if (count === undefined) throw listNotFound();
          return work(client, count);
        });
      } catch (error) {
        if (!(error instanceof ForgottenError)) throw error;
        throw new ApiError(503, 'an erasure is under way: try again', { retryAfterSeconds: 2 });
      }
    });
  }

  private async before(client: PoolClient, list: ListRow, subjects: readonly string[]): Promise<Before> {
    const rows = await this.members.among(client, list.id, subjects);
    const contents = await this.contents(list.account_id, rows);
    return new Map(rows.map((row, index) => [row.subject_id, { row, content: contents[index] }]));
  }

  private async find(list: ListRow, address: string): Promise<Member | undefined> {
    const [subject] = await this.vault.knownSubjects(list.account_id, [normalForm(address)]);
    const row = subject === undefined ? undefined : await this.members.find(list.id, subject);
    return row && (await this.open(list.account_id, [row]))[0];
  }

  private async positionOf(list: ListRow, pivot: string | undefined): Promise<string | undefined> {
    if (pivot === undefined) return undefined;
    const member = await this.find(list, pivot);
    if (!member) throw notThere();
    return member.row.seq;
  }

  private async seal(list: ListRow, subject: string, content: ListMember, subscribed: boolean): Promise<NewMember> {
    const recordId = memberRecord(list.id, subject);
    const seal = { account: list.account_id, subject, period: 'standing', type: 'list-member', recordId } as const;
    return { list_id: list.id, subject_id: subject, subscribed, sealed: await this.vault.seal(seal, content) };
  }

  /** Without those who have been forgotten, and whose rows are about to go. */
  private async open(account: string, rows: readonly MemberRow[]): Promise<Member[]> {
    const contents = await this.contents(account, rows);
    return rows.flatMap((row, index) => {
      const content = contents[index];
      return content ? [{ ...content, row }] : [];
    });
  }

  private async contents(account: string, rows: readonly MemberRow[]): Promise<(ListMember | undefined)[]> {
    const opened = await this.vault.openMany<ListMember>(
      rows.map((row) => ({
        jwe: row.sealed,
        expected: { account, type: 'list-member', recordId: memberRecord(row.list_id, row.subject_id) },
      })),
    );
    return opened.map((content) => (content === FORGOTTEN ? undefined : content));
  }

  private assertRoom(members: number): void {
    const most = this.config.LIST_MAX_MEMBERS;
    if (members > most) throw new ApiError(400, `a mailing list has at most ${most} members`);
  }
}

/** What is not said stays. */
const contentOf = (input: MemberInput, before: ListMember | undefined): ListMember => ({
  address: input.address,
  name: input.name ?? before?.name ?? '',
  vars: input.vars ?? before?.vars ?? {},
});

const later = (before: MemberInput, now: MemberInput): MemberInput => ({
  ...now,
  name: now.name ?? before.name,
  vars: now.vars ?? before.vars,
  subscribed: now.subscribed ?? before.subscribed,
});
