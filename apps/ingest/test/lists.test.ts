import { createHash } from 'node:crypto';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { form, until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { EndedListsWorker } from '../src/lists/ended.worker.ts';
import { MembersUseWorker } from '../src/lists/members/standing-use.worker.ts';
import { somebody } from './support/plant.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

type Json = Record<string, any>;
interface Answered {
  status: number;
  body: Json;
}

describe('mailing lists', () => {
  let around: Surroundings;
  let holder: PersonalDataHolder;
  let made = 0;

  beforeAll(async () => {
    around = await surroundings(inject('stores'), { LIST_MAX_MEMBERS: '1200', LIST_IMPORT_MAX_MEMBERS: '1100' });
    holder = (await around.replica()).get(PersonalDataHolder, { strict: false });
  });
  afterAll(() => around?.close());

  async function call(method: string, path: string, body?: BodyInit, by?: 'stranger'): Promise<Answered> {
    const headers = body === undefined ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
    const init = body === undefined ? { method, headers } : { method, body };
    const response = await around.lists(path, init, by ? { by } : {});
    return { status: response.status, body: (await response.json()) as Json };
  }
  const get = (path: string) => call('GET', path);
  const post = (path: string, fields: Record<string, string>) => call('POST', path, form(fields));
  const put = (path: string, fields: Record<string, string>) => call('PUT', path, new URLSearchParams(fields));
  /** The query of a link, as clients follow it. */
  const follow = (link: string) => get(link.slice(link.indexOf('/v3/lists') + '/v3/lists'.length));
  const addresses = ({ body }: Answered): string[] => (body['items'] as Json[]).map(({ address }) => address as string);
  async function newList(fields: Record<string, string> = {}): Promise<string> {
    const address = `list-${(made += 1)}@${around.domain.name}`;
    expect((await post('', { address, ...fields })).status).toBe(200);
    return address;
  }
  async function membersOf(list: string): Promise<number> {
    return (await get(`/${list}`)).body['list']['members_count'] as number;
  }
  function csv(text: string, fields: Record<string, string> = {}): FormData {
    const body = form(fields);
    body.set('members', new Blob([text], { type: 'text/csv' }), 'members.csv');
    return body;
  }

  describe('a list', () => {
    it('is made, got, changed, removed, nested for some clients and flat for others', async () => {
      const address = `Team.${(made += 1)}@Sender.Example`;
      const shown = {
        address: address.replace('Sender.Example', 'sender.example'),
        name: 'The team',
        description: '',
        access_level: 'readonly',
        reply_preference: 'sender',
        created_at: expect.stringMatching(
          /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/,
        ) as string,
        members_count: 0,
      };
      const created = await post('', { address, name: 'The team' });
      expect(created).toEqual({
        status: 200,
        body: { message: 'Mailing list has been created', list: shown, ...shown },
      });
      const path = `/${address.toLowerCase()}`;
      expect((await get(path)).body).toEqual({ list: shown });
      const changed = await put(path, { description: 'All of it', access_level: 'everyone', reply_preference: 'list' });
      const now = { ...shown, description: 'All of it', access_level: 'everyone', reply_preference: 'list' };
      expect(changed).toEqual({ status: 200, body: { message: 'Mailing list has been updated', list: now, ...now } });
      // A PUT without a body changes nothing.
      expect((await call('PUT', path)).body['list']).toEqual(now);
      expect(await call('DELETE', path)).toEqual({
        status: 200,
        body: { message: 'Mailing list has been removed', address: shown.address },
      });
      const gone = { status: 404, body: { message: 'Mailing list not found' } };
      expect([await get(path), await call('DELETE', path), await put(path, {})]).toEqual([gone, gone, gone]);
      expect((await post('', { address })).status).toBe(200);
    });

    it('is of a domain of the account, once, and nobody else sees it', async () => {
      const list = await newList();
      expect((await call('GET', `/${list}`, undefined, 'stranger')).status).toBe(404);
      expect((await call('GET', `/${list}/members`, undefined, 'stranger')).status).toBe(404);
      expect((await call('GET', '/pages', undefined, 'stranger')).body['items']).toEqual([]);
      expect((await post('', { address: list.toUpperCase() })).body['message']).toMatch(/'address'.*already/);
      const foreign = 'list@stranger.example';
      expect((await post('', { address: foreign })).body['message']).toMatch(/a domain of this account/);
      expect((await put(`/${list}`, { address: foreign })).status).toBe(400);
      const other = await newList();
      expect((await put(`/${list}`, { address: other })).body['message']).toMatch(/already/);
      expect((await put(`/${list}`, { address: `moved-${list}` })).body['address']).toBe(`moved-${list}`);
      expect([(await get(`/${list}`)).status, (await get(`/moved-${list}`)).status]).toEqual([404, 200]);
      expect((await post(`/${list}/validate`, {})).status).toBe(404);
    });

    it.each<[Record<string, string>, RegExp]>([
      [{}, /'address' parameter is missing/],
      [{ address: 'nobody' }, /'address'/],
      [{ address: 'a@sender.example', access_level: 'all' }, /'access_level'/],
      [{ address: 'a@sender.example', reply_preference: 'x' }, /'reply_preference'/],
      [{ address: 'a@sender.example', name: 'n'.repeat(999) }, /'name'/],
    ])('is refused, naming the field: $1', async (fields, message) => {
      const { status, body } = await post('', fields);
      expect([status, body['message']]).toEqual([400, expect.stringMatching(message)]);
    });

    it('is found by pages, by offset, and by its address', async () => {
      const lists = [await newList(), await newList(), await newList()];
      const all = addresses(await get('?limit=100'));
      expect(all.slice(-3)).toEqual(lists);
      const first = await get('?limit=2&skip=1');
      expect([addresses(first), first.body['total_count']]).toEqual([all.slice(1, 3), all.length]);
      expect((await get(`?address=${lists[1]}`)).body).toMatchObject({
        total_count: 1,
        items: [{ address: lists[1] }],
      });
      expect((await get('?address=nobody@sender.example')).body).toEqual({ total_count: 0, items: [] });
      const paged: string[] = [];
      for (
        let page = await get('/pages?limit=2');
        addresses(page).length > 0;
        page = await follow(page.body['paging'].next)
      ) {
        paged.push(...addresses(page));
      }
      expect(paged).toEqual(all);
      const before = await get(`/pages?page=previous&limit=2&address=${lists[2]}`);
      expect(addresses(before)).toEqual(lists.slice(0, 2));
    });
  });

  describe('a member', () => {
    it('is added, got, changed, removed, however the path is written', async () => {
      const list = await newList();
      const address = somebody().replace('p', 'P+');
      const added = await post(`/${list}/members`, { address, name: 'Pat', vars: '{"age": 26, "pets": ["cat"]}' });
      const member = { address, name: 'Pat', vars: { age: 26, pets: ['cat'] }, subscribed: true };
      expect(added).toEqual({ status: 200, body: { message: 'Mailing list member has been created', member } });
      for (const path of [address, address.toLowerCase(), encodeURIComponent(address)]) {
        expect((await get(`/${encodeURIComponent(list)}/members/${path}`)).body).toEqual({ member, ...member });
      }
      const path = `/${list}/members/${address}`;
      expect((await put(path, { subscribed: 'no', name: 'Patricia' })).body).toEqual({
        message: 'Mailing list member has been updated',
        member: { ...member, name: 'Patricia', subscribed: false },
      });
      const moved = somebody();
      expect((await put(path, { address: moved, vars: '{}' })).body['member']).toEqual({
        address: moved,
        name: 'Patricia',
        vars: {},
        subscribed: false,
      });
      expect((await get(path)).status).toBe(404);
      expect(await membersOf(list)).toBe(1);
      expect((await call('DELETE', `/${list}/members/${moved}`)).body).toEqual({
        message: 'Mailing list member has been deleted',
        member: { address: moved },
      });
      expect((await call('DELETE', `/${list}/members/${moved}`)).status).toBe(404);
      expect(await membersOf(list)).toBe(0);
    });

    it('is there once: changed with upsert, else refused', async () => {
      const [list, address] = [await newList(), somebody()];
      await post(`/${list}/members`, { address, name: 'Ana', vars: '{"a":1}', subscribed: 'false' });
      const again = await post(`/${list}/members`, { address: address.toUpperCase() });
      expect([again.status, again.body['message']]).toEqual([400, expect.stringMatching(/upsert=yes/)]);
      // As the Go client says nothing: an empty name, null for variables.
      const changed = await post(`/${list}/members`, { address, name: '', vars: 'null', upsert: 'true' });
      expect(changed.body['member']).toEqual({ address, name: 'Ana', vars: { a: 1 }, subscribed: false });
      const yes = await post(`/${list}/members`, { address, vars: '{"b":2}', subscribed: 'yes', upsert: 'yes' });
      expect(yes.body['member']).toEqual({ address, name: 'Ana', vars: { b: 2 }, subscribed: true });
      expect(await membersOf(list)).toBe(1);
      const other = somebody();
      await post(`/${list}/members`, { address: other });
      expect((await put(`/${list}/members/${other}`, { address })).status).toBe(400);
    });

    it.each<[Record<string, string>, RegExp]>([
      [{}, /'address' parameter is missing/],
      [{ address: 'nobody' }, /'address'/],
      [{ address: 'a@x.example', vars: '[1]' }, /'vars'.*object/],
      [{ address: 'a@x.example', vars: '{' }, /'vars'.*JSON/],
      [{ address: 'a@x.example', vars: JSON.stringify({ v: 'v'.repeat(17_000) }) }, /'vars'.*octets/],
      [{ address: 'a@x.example', subscribed: 'perhaps' }, /'subscribed'/],
      [{ address: 'a@x.example', name: 'a\u0000b' }, /'name'/],
    ])('is refused, naming the field: $1', async (fields, message) => {
      const list = await newList();
      const { status, body } = await post(`/${list}/members`, fields);
      expect([status, body['message']]).toEqual([400, expect.stringMatching(message)]);
    });
  });

  describe('pages of members', () => {
    let list: string;
    let people: string[];

    beforeAll(async () => {
      list = await newList();
      people = Array.from({ length: 7 }, somebody);
      const members = JSON.stringify(people.map((address, n) => ({ address, subscribed: n !== 3 })));
      await post(`/${list}/members.json`, { members });
    });

    async function walk(first: string, link: 'next' | 'previous'): Promise<string[][]> {
      const pages: string[][] = [];
      let page = await get(first);
      for (; addresses(page).length > 0; page = await follow(page.body['paging'][link])) pages.push(addresses(page));
      // Empty, and all four links lead somewhere still.
      expect(Object.keys(page.body['paging']).toSorted()).toEqual(['first', 'last', 'next', 'previous']);
      expect(addresses(await follow(page.body['paging'][link]))).toEqual([]);
      // Turning back begins at that end.
      const back = await follow(page.body['paging'][link === 'next' ? 'previous' : 'next']);
      expect(addresses(back)).toEqual(link === 'next' ? people.slice(-4) : people.slice(0, 4));
      return pages;
    }

    it('are in the order in which they came, forwards and backwards', async () => {
      const base = `/${list}/members/pages`;
      const links = (await get(`${base}?limit=3`)).body['paging'] as Record<string, string>;
      for (const link of Object.values(links)) expect(link).toMatch(/^http:\/\/gateway\.example\/v3\/lists\/.*limit=3/);
      expect(await walk(`${base}?limit=4`, 'next')).toEqual([people.slice(0, 4), people.slice(4)]);
      expect(await walk(`${base}?limit=4&page=last`, 'previous')).toEqual([people.slice(3), people.slice(0, 3)]);
      const around4 = `address=${encodeURIComponent(people[4] ?? '')}&limit=2`;
      expect(addresses(await get(`${base}?page=next&${around4}`))).toEqual(people.slice(5));
      expect(addresses(await get(`${base}?page=prev&${around4}`))).toEqual(people.slice(2, 4));
      const kept = (await get(`${base}?limit=2&subscribed=no`)).body;
      expect([(kept['items'] as Json[]).map(({ address }) => address as string), kept['paging'].next]).toEqual([
        [people[3]],
        expect.stringContaining('subscribed=no'),
      ]);
    });

    it('by offset have a total, by what is asked for', async () => {
      const some = await get(`/${list}/members?skip=5&limit=10&subscribed=yes`);
      expect([addresses(some), some.body['total_count']]).toEqual([people.slice(6), 6]);
      const one = await get(`/${list}/members?address=${people[2]}`);
      expect([addresses(one), one.body['total_count']]).toEqual([[people[2]], 1]);
      expect((await get(`/${list}/members?address=${people[2]}&subscribed=no`)).body['total_count']).toBe(0);
    });

    it('lead on where whom their links name is removed meanwhile', async () => {
      const page = await get(`/${list}/members/pages?limit=2`);
      await call('DELETE', `/${list}/members/${people[1]}`);
      expect(addresses(await follow(page.body['paging'].next))).toEqual(people.slice(2, 4));
      const own = await get(`/${list}/members/pages?page=next&address=${people[1]}`);
      expect([own.status, own.body['message']]).toEqual([400, expect.stringMatching(/page=first/)]);
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=x',
      'page=third',
      'page=next&address=x',
      'position=x&page=next',
      'subscribed=x',
    ])('with %s are refused', async (query) => expect((await get(`/${list}/members/pages?${query}`)).status).toBe(400));
  });

  describe('many members', () => {
    const task = expect.stringMatching(/^[\w-]{36}$/) as string;

    it('come as JSON, of addresses and objects, in a field or in the query', async () => {
      const [list, ana, ben, cleo] = [await newList(), somebody(), somebody(), somebody()];
      const members = JSON.stringify([
        ana,
        { address: ben, name: 'Ben', vars: { n: 1 } },
        { address: ana, name: 'Second' },
      ]);
      const added = await post(`/${list}/members.json`, { members });
      expect(added.status).toBe(200);
      expect(added.body).toEqual({
        message: 'Mailing list has been updated',
        list: expect.objectContaining({ address: list, members_count: 2 }) as object,
        'task-id': task,
      });
      const again = `[{"address":"${ben}","vars":"{\\"n\\":2}"},{"address":"${cleo}"}]`;
      expect((await call('POST', `/${list}/members.json?members=${encodeURIComponent(again)}`)).status).toBe(200);
      expect((await get(`/${list}/members/${ben}`)).body).toMatchObject({ name: 'Ben', vars: { n: 1 } });
      await post(`/${list}/members.json`, { members: again, upsert: 'yes', subscribed: 'no' });
      const all = (await get(`/${list}/members`)).body['items'];
      expect(all).toEqual([
        { address: ana, name: '', vars: {}, subscribed: true },
        { address: ben, name: 'Ben', vars: { n: 2 }, subscribed: false },
        { address: cleo, name: '', vars: {}, subscribed: false },
      ]);
      expect(await membersOf(list)).toBe(3);
    });

    it('come as a file, with a row of names or without', async () => {
      const [list, ana, ben, cleo] = [await newList(), somebody(), somebody(), somebody()];
      const named = `\u{feff}name,Address,other,vars\r\n"Ana ""A"" Ann",${ana},x,"{""n"": 1}"\r\n\r\n,${ben},,\r\n`;
      const answer = await call('POST', `/${list}/members.csv`, csv(named, { subscribed: 'no' }));
      expect([answer.status, answer.body['task-id'], answer.body['list'].members_count]).toEqual([202, task, 2]);
      await call('POST', `/${list}/members.csv`, csv(`${ben},Ben,,yes\n${cleo}`, { upsert: 'yes' }));
      expect((await get(`/${list}/members`)).body['items']).toEqual([
        { address: ana, name: 'Ana "A" Ann', vars: { n: 1 }, subscribed: false },
        { address: ben, name: 'Ben', vars: {}, subscribed: true },
        { address: cleo, name: '', vars: {}, subscribed: true },
      ]);
    });

    it('come by more than a transaction, and a refusal adds nobody', async () => {
      const list = await newList();
      const rows = Array.from({ length: 1_100 }, somebody);
      expect((await call('POST', `/${list}/members.csv`, csv(rows.join('\n')))).status).toBe(202);
      expect(await membersOf(list)).toBe(1_100);
      const message = async (body: FormData, path = 'members.csv'): Promise<unknown> => {
        const answer = await call('POST', `/${list}/${path}`, body);
        expect(answer.status).toBe(400);
        return answer.body['message'];
      };
      expect(await message(csv(`${somebody()}\nnobody`))).toMatch(/'members\[row 2\]\.address'/);
      expect(await message(csv([...rows, 'a@x.example'].join('\n')))).toMatch(/at most 1100 members/);
      expect(await message(csv(''))).toMatch(/'members' parameter is missing/);
      expect(await message(csv('"a@x.example'))).toMatch(/has no end/);
      expect(await message(form({ members: '{"a":1}' }), 'members.json')).toMatch(/JSON array/);
      expect(await message(form({ members: '["a@x.example",{}]' }), 'members.json')).toMatch(/'members\[1\]'/);
      expect(await message(form({ members: JSON.stringify(rows) }), 'members.json')).toMatch(/at most 1000 members/);
      const more = JSON.stringify(Array.from({ length: 101 }, somebody));
      expect(await message(form({ members: more }), 'members.json')).toMatch(/has at most 1200 members/);
      expect(await membersOf(list)).toBe(1_100);
      const large = await call('POST', `/${list}/members.csv`, csv('x'.repeat(6 * 1024 * 1024)));
      expect(large.status).toBe(413);
      expect((await call('DELETE', `/${list}`)).status).toBe(200);
    });

    it('that come at the same time are counted right', async () => {
      const list = await newList();
      const rows = Array.from({ length: 40 }, somebody);
      const half = (from: number): Promise<Answered> =>
        post(`/${list}/members.json`, { members: JSON.stringify(rows.slice(from, from + 25)) });
      const answers = await Promise.all([
        half(0),
        half(15),
        ...rows.slice(0, 5).map((address) => post(`/${list}/members`, { address, upsert: 'yes' })),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(await membersOf(list)).toBe(40);
      expect((await get(`/${list}/members?limit=1`)).body['total_count']).toBe(40);
    });
  });

  describe('forgetting', () => {
    it('keeps nothing of anybody in clear', async () => {
      const person = somebody();
      const list = await newList({ name: 'Clandestine name', description: 'Clandestine purpose' });
      await post(`/${list}/members`, {
        address: person,
        name: 'Clandestine Person',
        vars: '{"k":"Clandestine value"}',
      });
      const texts = [person, list, 'Clandestine'];
      const written = texts.flatMap((text) => [
        text,
        Buffer.from(text).toString('base64').slice(0, 10),
        Buffer.from(text).toString('hex'),
        createHash('sha256').update(text).digest('hex'),
      ]);
      const residue = async (): Promise<string[]> => {
        const { rows } = await around.database.query<{ row: string }>(
          'select l::text as row from mailing_list l union all select m::text from mailing_list_member m',
        );
        expect(rows.length).toBeGreaterThan(1);
        return written.filter((text) => rows.some(({ row }) => row.includes(text)));
      };
      expect(await residue()).toEqual([]);
      // Planted, it is found.
      await around.database.query('update mailing_list_member set sealed = sealed || $1', [person]);
      expect(await residue()).toEqual([person]);
      await around.database.query('update mailing_list_member set sealed = replace(sealed, $1, $2)', [person, '']);
    });

    it('of a member takes them out of all lists of the account, and counts right', async () => {
      const [one, two, person, other] = [await newList(), await newList(), somebody(), somebody()];
      for (const list of [one, two]) {
        await post(`/${list}/members.json`, { members: JSON.stringify([person, other]) });
      }
      const scope = around.scope(await around.subjectOf(person));
      expect(await holder.verify(scope)).toEqual({ member: 2 });
      expect(await holder.erase(scope)).toEqual({ found: { member: 2 }, removed: { member: 2 } });
      expect(await holder.verify(scope)).toEqual({});
      expect(await holder.erase(scope)).toEqual({ found: {}, removed: {} });
      expect([await membersOf(one), await membersOf(two)]).toEqual([1, 1]);
      expect((await get(`/${one}/members/${person}`)).status).toBe(404);
      expect((await get(`/${one}/members/${other}`)).status).toBe(200);
    });

    it('passes over whom the vault has cut off, and does not end a page for them', async () => {
      const [list, ...people] = [await newList(), somebody(), somebody(), somebody()] as const;
      await post(`/${list}/members.json`, { members: JSON.stringify(people) });
      await around.cutOff(await around.subjectOf(people[0]));
      await vi.waitFor(async () => {
        expect(addresses(await get(`/${list}/members/pages?limit=1`))).toEqual([people[1]]);
      }, 5_000);
    });

    it('of a person waits for changes of lists that have begun', async () => {
      const [list, person] = [await newList(), somebody()];
      const obstacle = await around.database.connect();
      await obstacle.query('begin');
      await obstacle.query('select from mailing_list for update');
      const adding = post(`/${list}/members`, { address: person });
      // Other suites have databases of their own on the same server.
      const locks = async (granted: boolean) =>
        (
          await around.database.query(
            `select from pg_locks where locktype = 'advisory' and granted = $1
                and database = (select oid from pg_database where datname = current_database())`,
            [granted],
          )
        ).rowCount;
      const waits = async () => (await locks(true)) === 1;
      expect(await until(waits, 5_000, 10)).toBe(true);
      let over = false;
      const fenced = holder.fence(around.scope(await around.subjectOf(person))).then(() => (over = true));
      const queued = async () => (await locks(false)) === 1;
      expect(await until(queued, 5_000, 10)).toBe(true);
      expect(over).toBe(false);
      await obstacle.query('commit');
      obstacle.release();
      expect((await adding).status).toBe(200);
      await fenced;
    });

    it('leaves members in use, and drops whom the vault has forgotten', async () => {
      const [list, kept, forgotten] = [await newList(), somebody(), somebody()];
      await post(`/${list}/members.json`, { members: JSON.stringify([kept, forgotten]) });
      const [one, two] = [await around.subjectOf(kept), await around.subjectOf(forgotten)];
      await around.vaultAdmin(async (admin) => {
        await admin.query('delete from vault.subject where subject_id = $1', [two]);
        await admin.query(`update vault.subject set last_used = last_used - 20 where subject_id = $1`, [one]);
      });
      await around.apps[0]?.get(MembersUseWorker).noteUse();
      await around.vaultAdmin(async (admin) => {
        const { rows } = await admin.query(
          `select last_used = (now() at time zone 'UTC')::date as today from vault.subject where subject_id = $1`,
          [one],
        );
        expect(rows).toEqual([{ today: true }]);
      });
      expect(await membersOf(list)).toBe(1);
      expect(await holder.verify(around.scope(two))).toEqual({});
    });

    it('takes lists and members with their domain', async () => {
      const list = await newList();
      await post(`/${list}/members`, { address: somebody() });
      await around.database.query(`update mailing_list set created_at = created_at - interval '1 hour'`);
      const worker = around.apps[0]?.get(EndedListsWorker);
      await worker?.work();
      expect(await membersOf(list)).toBe(1);
      await around.endDomain();
      await vi.waitFor(async () => expect((await get(`/${list}`)).status).toBe(404), 5_000);
      await worker?.work();
      for (const table of ['mailing_list', 'mailing_list_member']) {
        expect((await around.database.query(`select from ${table}`)).rowCount).toBe(0);
      }
      await around.publishDomain({});
    });
  });
});
