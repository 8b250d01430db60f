import { createHash } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ORIGIN, Setting } from './support/setting.ts';

const URL = '/v1/privacy/requests';
const MOST = 50;
let setting: Setting;
let ana: { account: string };
let ben: { account: string };

beforeAll(async () => {
  // Nothing begins: requests stay as they were received.
  setting = await new Setting(inject('stores')).open({
    REQUEST_HOLD_MS: '3600000',
    REQUESTS_UNFINISHED_MAX: String(MOST),
  });
  await setting.start();
  ana = { account: setting.account };
  ben = { account: await setting.newAccount() };
});
afterAll(() => setting?.close());

const person = { address: 'ana@example.net' };
const body = (more: object = {}) => ({ type: 'erasure', subjects: [person], ...more });
const post = (sent: unknown, headers: Record<string, string> = {}, who = ana) =>
  setting.call(who, 'POST', URL, sent, headers);
const many = (count: number, aliases: string[] = []) =>
  Array.from({ length: count }, (_, n) => ({ address: `p${n}@many.example`, aliases }));

describe('what is refused', () => {
  it.each<[string, unknown, string | undefined]>([
    ['no object', '[]', undefined],
    ['no JSON', '{"type":', undefined],
    ['no type', { subjects: [person] }, 'type'],
    ['a type that comes later', body({ type: 'access' }), 'type'],
    ['a type nobody knows', body({ type: 'ana@secret.example' }), 'type'],
    ['no subjects', { type: 'erasure' }, 'subjects'],
    ['an empty list', body({ subjects: [] }), 'subjects'],
    ['5,001 subjects', body({ subjects: many(5_001) }), 'subjects'],
    ['10,001 identifiers', body({ subjects: many(3_334, ['a@alias.example', 'b@alias.example']) }), 'subjects'],
    [
      'a malformed address',
      body({ subjects: [person, person, person, { address: 'secret at example' }] }),
      'subjects.3.address',
    ],
    [
      'a malformed alias',
      body({ subjects: [{ ...person, aliases: ['b@c.example', 'secret'] }] }),
      'subjects.0.aliases.1',
    ],
    ['a display name', body({ subjects: [{ address: 'Secret <ana@example.net>' }] }), 'subjects.0.address'],
    ['a control character', body({ subjects: [{ address: 'secret\n@example.net' }] }), 'subjects.0.address'],
    ['a number for an address', body({ subjects: [{ address: 7 }] }), 'subjects.0.address'],
    ['an unknown field', body({ refrence: 'x' }), 'refrence'],
    [
      'an unknown field of a subject',
      body({ subjects: [{ ...person, email: 'secret@example.net' }] }),
      'subjects.0.email',
    ],
    ['an unknown field that could be personal', body({ 'secret@example.net': 1 }), undefined],
    ['corrections', body({ corrections: [] }), 'corrections'],
    ['a callback', body({ callback_url: 'https://secret.example' }), 'callback_url'],
    ['another wish', body({ do_not_contact: 'secret' }), 'do_not_contact'],
    ['a reason for nothing', body({ override_reason: 'secret' }), 'override_reason'],
    ['an empty reference', body({ reference: '' }), 'reference'],
    ['a reference that is too long', body({ reference: 'secret'.repeat(100) }), 'reference'],
  ])('%s: 400 that names the field, never its value', async (_, sent, field) => {
    const answer = await post(sent);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.type).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: answer.body.message,
      message: expect.any(String),
      ...(field === undefined ? {} : { field }),
    });
    if (field !== undefined) expect(answer.body.message).toContain(field);
    expect(answer.text).not.toContain('secret');
  });

  it('more unfinished requests than one account may have: 429, until some are over', async () => {
    const eve = { account: await setting.newAccount() };
    const orders = await Promise.all(Array.from({ length: MOST }, () => post(body(), {}, eve)));
    expect(orders.map(({ status }) => status)).toEqual(orders.map(() => 202));
    const refused = await post(body(), {}, eve);
    expect([refused.status, refused.type]).toEqual([429, 'application/problem+json; charset=utf-8']);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    // The others, and an order that is only repeated, are not concerned.
    expect((await post(body(), {}, { account: await setting.newAccount() })).status).toBe(202);
    const cancelled = await setting.call(eve, 'DELETE', `${URL}/${orders[0]?.body.id}`);
    expect(cancelled.status).toBe(200);
    expect((await post(body(), {}, eve)).status).toBe(202);
  });

  it('says the same of an Idempotency-Key that is none', async () => {
    for (const key of ['', 'x'.repeat(257), 'ä']) {
      const answer = await post(body(), { 'idempotency-key': key });
      expect([answer.status, answer.body.field]).toEqual([400, 'Idempotency-Key']);
    }
  });

  it('who may not', async () => {
    const without = (...scopes: string[]) => ({ ...ana, scopes });
    const refused = [
      await setting.call(without('privacy:read'), 'POST', URL, body()),
      await setting.call(without('privacy:read'), 'DELETE', `${URL}/x`),
      await setting.call(without('privacy:write'), 'GET', URL),
      await setting.call(without('privacy:write'), 'GET', `${URL}/x`),
      await setting.call(without('messages:write'), 'GET', `${URL}/x/certificate`),
    ];
    for (const { status, type, body: problem } of refused) {
      expect([status, type]).toEqual([403, 'application/problem+json; charset=utf-8']);
      expect(problem).toMatchObject({ status: 403, title: 'Forbidden', message: 'This API key may not do that' });
    }
    const stranger = await setting.app!.inject({ method: 'GET', url: URL });
    expect([stranger.statusCode, stranger.headers['content-type']]).toEqual([
      401,
      'application/problem+json; charset=utf-8',
    ]);
  });

  it("another account's request, as an unknown one", async () => {
    const { id } = await setting.order(['ana@example.net']);
    const unknown = '01a221ef-6cde-7c15-9e75-06c141db9dfb';
    for (const path of ['', '/certificate']) {
      const theirs = await setting.call(ben, 'GET', `${URL}/${id}${path}`);
      const nobodys = await setting.call(ben, 'GET', `${URL}/${unknown}${path}`);
      expect(theirs.status).toBe(404);
      expect(theirs.text).toBe(nobodys.text);
    }
    expect((await setting.call(ben, 'DELETE', `${URL}/${id}`)).status).toBe(404);
    expect((await setting.call(ben, 'GET', `${URL}/..%2F`)).status).toBe(404);
    expect((await setting.show(id)).state).toBe('received');
    expect((await setting.call(ben, 'GET', URL)).body.items).toEqual([]);
  });

  it('a path nobody knows, as a problem too', async () => {
    const answer = await setting.call(ana, 'GET', '/v1/privacy/nothing');
    expect([answer.status, answer.type, answer.body.title]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
      'Not Found',
    ]);
  });
});

describe('what is taken', () => {
  it('shows the request as the contract has it', async () => {
    const sent = body({
      reference: 'ticket for ana@example.net',
      do_not_contact: 'remove',
      override_reason: 'asked twice',
    });
    const { status, body: view } = await post(sent);
    expect(status).toBe(202);
    const self = `${ORIGIN}${URL}/${view.id}`;
    expect(view).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{14}7/),
      type: 'erasure',
      state: 'received',
      reference: 'ticket for ana@example.net',
      subjects: 1,
      do_not_contact: 'remove',
      override_reason: 'asked twice',
      received_at: expect.stringMatching(/Z$/),
      cut_off: null,
      due_at: expect.stringMatching(/Z$/),
      completed_at: null,
      holders: ['accounts', 'ingest', 'delivery', 'events', 'suppression', 'privacy'].map((service) => ({
        service,
        step: null,
        state: 'waiting',
        attempts: 0,
        acknowledged_at: null,
        found: {},
        removed: {},
        residual: {},
        error: null,
      })),
      history: [{ at: view.received_at, state: 'received', by: 'key …4f2a' }],
      links: { self, certificate: `${self}/certificate`, archive: null },
      salts: [expect.stringMatching(/^[\w-]{43}$/)],
    });
    const { salts: _, ...again } = view;
    expect((await setting.call(ana, 'GET', self)).body).toEqual(again);
    const certificate = await setting.call(ana, 'GET', `${self}/certificate`);
    expect([certificate.status, certificate.body.title]).toEqual([409, 'Conflict']);
  });

  it('takes 5,000 subjects, and writes no address, reference or key anywhere', async () => {
    const marks = ['subject-mark', 'alias-mark', 'reference-mark', 'key-mark'];
    const subjects = [{ address: `${marks[0]}@example.net`, aliases: [`${marks[1]}@example.net`] }, ...many(4_999)];
    const answer = await post(body({ subjects, reference: marks[2] }), { 'idempotency-key': marks[3] });
    expect(answer.status, answer.text.slice(0, 500)).toBe(202);
    expect(answer.body.salts).toHaveLength(5_000);
    const { rows: tables } = await setting.database.query(
      `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    expect(tables.length).toBeGreaterThan(7);
    for (const { table_name: table } of tables) {
      const { rows } = await setting.database.query(`select t::text as row from "${table}" t`);
      const text = rows
        .map(({ row }) => row)
        .join('\n')
        .toLowerCase();
      for (const mark of marks) {
        expect(text.includes(mark), `${mark} in ${table}`).toBe(false);
        expect(text.includes(Buffer.from(mark).toString('hex')), `${mark} in ${table}`).toBe(false);
      }
    }
    expect(setting.log.join('')).not.toMatch(/-mark/);
    // The digest is the salted hash of the normal form, as whoever has the salt can see.
    const { rows } = await setting.database.query(
      'select subject, identifier, digest from request_subject where request_id = $1 and subject = 0 order by identifier',
      [answer.body.id],
    );
    const salt = Buffer.from(answer.body.salts[0], 'base64url');
    const digests = [marks[0], marks[1]].map((local) =>
      createHash('sha256').update(salt).update(`${local}@example.net`).digest('hex'),
    );
    expect(rows.map(({ digest }) => digest.toString('hex'))).toEqual(digests);
  });

  it('writes the same person as the same pseudonym, however the address is spelt', async () => {
    const one = await setting.order(['Spelt@EXAMPLE.net']);
    const two = await setting.order(['spelt@example.net']);
    const theirs = await setting.order(['spelt@example.net'], {}, ben);
    const of = async (id: string) =>
      (await setting.database.query('select pseudonym from request_subject where request_id = $1', [id])).rows[0];
    expect(await of(one.id)).toEqual(await of(two.id));
    expect(await of(theirs.id)).not.toEqual(await of(two.id));
  });

  it('can be called off while it is received, once', async () => {
    const { id } = await setting.order(['off@example.net']);
    const off = await setting.call(ana, 'DELETE', `${URL}/${id}`);
    expect(off.status).toBe(200);
    expect(off.body).toMatchObject({ id, state: 'cancelled' });
    expect(off.body.history.map((entry: any) => [entry.state, entry.by])).toEqual([
      ['received', 'key …4f2a'],
      ['cancelled', 'key …4f2a'],
    ]);
    const again = await setting.call(ana, 'DELETE', `${URL}/${id}`);
    expect([again.status, again.body.title]).toEqual([409, 'Conflict']);
    const { rows } = await setting.database.query(
      'select count(*)::int as left from request_subject where request_id = $1 and pseudonym is not null',
      [id],
    );
    expect(rows[0].left).toBe(0);
  });
});

describe('Idempotency-Key', () => {
  const keyed = (key: string, sent: unknown = body(), who = ana) => post(sent, { 'idempotency-key': key }, who);

  it('answers the same order with the same request and salts, another with 409', async () => {
    const first = await keyed('one');
    const again = await keyed('one', { ...body(), subjects: [{ address: 'ANA@example.net' }] });
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    const other = await keyed('one', body({ reference: 'another' }));
    expect([other.status, other.body.field]).toEqual([409, 'Idempotency-Key']);
    expect((await keyed('two')).body.id).not.toBe(first.body.id);
    expect((await keyed('one', body(), ben)).body.id).not.toBe(first.body.id);
    expect((await post(body())).body.id).not.toBe(first.body.id);
  });

  it('makes one request of many that come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => keyed('at once')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 202));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const { rows } = await setting.database.query(
      'select count(*)::int as n from idempotency i join request r on r.id = i.request_id where r.id = $1',
      [answers[0].body.id],
    );
    expect(rows[0].n).toBe(1);
  });

  it('is good for a day, and its salts no longer than their key', async () => {
    const first = await keyed('a day');
    const age = (age: string) =>
      setting.database.query(`update idempotency set created_at = now() - $2::interval where request_id = $1`, [
        first.body.id,
        age,
      ]);
    await age('23 hours');
    expect((await keyed('a day')).body.id).toBe(first.body.id);
    await setting.vaultAdmin.query(`delete from vault.period_secret where class = 'e1'`);
    const saltless = async () => (await keyed('a day')).body.salts === null;
    expect(await until(saltless, 5_000)).toBe(true);
    await age('24 hours');
    const second = await keyed('a day');
    expect(second.status).toBe(202);
    expect(second.body.id).not.toBe(first.body.id);
  });
});

describe('the list', () => {
  let cleo: { account: string };
  let ids: string[];
  const list = async (query: string) => {
    const answer = await setting.call(cleo, 'GET', query.startsWith('http') ? query : `${URL}?${query}`);
    return {
      status: answer.status,
      ids: answer.body.items?.map(({ id }: any) => id),
      paging: answer.body.paging,
      body: answer.body,
    };
  };

  beforeAll(async () => {
    cleo = { account: await setting.newAccount() };
    ids = [];
    for (let n = 0; n < 5; n += 1) {
      const { id } = await setting.order([`n${n}@example.net`], { reference: n % 2 === 0 ? 'even' : 'odd' }, cleo);
      ids.unshift(id);
    }
    await setting.call(cleo, 'DELETE', `${URL}/${ids[0]}`);
  });

  it('has the newest first, and finds by state, type, reference and due date', async () => {
    expect((await list('')).ids).toEqual(ids);
    expect((await list('state=cancelled')).ids).toEqual([ids[0]]);
    expect((await list('state=received&type=erasure')).ids).toEqual(ids.slice(1));
    expect((await list('reference=odd')).ids).toEqual([ids[1], ids[3]]);
    expect((await list('reference=neither')).ids).toEqual([]);
    expect((await list(`due_before=${new Date(Date.now() + 40 * 86_400_000).toISOString()}`)).ids).toEqual(ids);
    expect((await list(`due_before=${new Date().toISOString()}`)).ids).toEqual([]);
  });

  it('is turned forwards and back by its links, which are absolute and show no reference', async () => {
    const first = await list('limit=2&reference=even');
    expect(first.ids).toEqual([ids[0], ids[2]]);
    expect(Object.values(first.paging).every((link: any) => link.startsWith(`${ORIGIN}${URL}?page=`))).toBe(true);
    expect(JSON.stringify(first.paging)).not.toContain('even');
    const second = await list(first.paging.next);
    expect(second.ids).toEqual([ids[4]]);
    const empty = await list(second.paging.next);
    expect(empty.ids).toEqual([]);
    expect((await list(empty.paging.previous)).ids).toEqual([ids[2], ids[4]]);
    expect((await list(second.paging.previous)).ids).toEqual([ids[0], ids[2]]);
    expect((await list(second.paging.first)).ids).toEqual([ids[0], ids[2]]);
    expect((await list(first.paging.last)).ids).toEqual([ids[2], ids[4]]);
  });

  it('takes no link of another account, and no filter nobody knows', async () => {
    const { paging } = await list('limit=2');
    const stolen = await setting.call(ben, 'GET', paging.next);
    expect([stolen.status, stolen.body.field]).toEqual([400, 'page']);
    for (const [query, field] of [
      ['page=x', 'page'],
      ['state=done', 'state'],
      ['due_before=tomorrow', 'due_before'],
      ['limit=0', 'limit'],
      ['limit=301', 'limit'],
      ['sort=up', 'sort'],
    ]) {
      const refused = await list(query);
      expect([query, refused.status, refused.body.field]).toEqual([query, 400, field]);
    }
  });
});

describe('do_not_contact: remove', () => {
  const remove = (address: string, more: object = {}) =>
    post({ type: 'erasure', subjects: [{ address }], do_not_contact: 'remove', ...more });
  const pseudonym = async (address: string) => (await setting.vault.pseudonyms(ana.account, [address]))[0];

  it('needs a reason where somebody said stop themselves, towards any domain of the account', async () => {
    const domain = await setting.newDomain(ana.account);
    const theirs = await setting.newDomain(ben.account);
    await setting.suppress(await pseudonym('stop@example.net'), domain, 'unsubscribe');
    await setting.suppress(await pseudonym('blocked@example.net'), ana.account, 'do-not-contact');
    await setting.suppress(await pseudonym('bounced@example.net'), domain, 'bounce');
    await setting.suppress(await pseudonym('elsewhere@example.net'), theirs, 'unsubscribe');
    const refused = async (address: string) => (await remove(address)).status === 400;
    expect(await until(() => refused('stop@example.net'), 5_000)).toBe(true);
    expect(await until(() => refused('blocked@example.net'), 5_000)).toBe(true);
    const answer = await remove('stop@example.net');
    expect(answer.body).toMatchObject({ status: 400, field: 'override_reason' });
    expect((await remove('stop@example.net', { override_reason: 'they asked for it' })).status).toBe(202);
    expect((await remove('bounced@example.net')).status).toBe(202);
    expect((await remove('elsewhere@example.net')).status).toBe(202);
    expect((await post({ type: 'erasure', subjects: [{ address: 'stop@example.net' }] })).status).toBe(202);
  });

  it('is not taken while nobody knows who said stop', async () => {
    setting.heartbeats(false);
    const silent = async () => (await remove('anyone@example.net')).status === 503;
    expect(await until(silent, 15_000, 200)).toBe(true);
    const answer = await remove('anyone@example.net');
    expect([answer.status, answer.type]).toEqual([503, 'application/problem+json; charset=utf-8']);
    expect((await post(body())).status).toBe(202);
    setting.heartbeats(true);
    expect(await until(async () => (await remove('anyone@example.net')).status === 202, 15_000, 200)).toBe(true);
  });
});
