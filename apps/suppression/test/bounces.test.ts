import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startSurroundings, type Domain, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;
let ana: Domain;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
  ana = await around.domain();
});
afterAll(() => around?.close());

const get = (path: string, domain = ana) => around.call(domain, 'GET', path);
const post = (body: object, domain = ana) => around.call(domain, 'POST', '', body);
const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const published = async (address: string, domain = ana) => around.table.get(await around.keyOf(domain, address));
/** The query of a link, as clients follow it. */
const follow = (link: string, domain = ana) => get(new URL(link).search, domain);
const addresses = (page: { body: Record<string, any> }): string[] =>
  (page.body['items'] as { address: string }[]).map(({ address }) => address);

describe('one bounce', () => {
  it.each([
    ['urlencoded', form({ address: 'one+form@x.example', code: '551', error: 'no such user' }), 'one+form@x.example'],
    [
      'multipart',
      multipart({ address: 'one-parts@x.example', code: '551', error: 'no such user' }),
      'one-parts@x.example',
    ],
    ['JSON', { address: 'one-json@x.example', code: 551, error: 'no such user' }, 'one-json@x.example'],
  ])('is added from %s, published, got, removed', async (_, body, address) => {
    const added = await post(body);
    expect(added).toEqual({ status: 200, body: { message: 'Address has been added to the bounces table', address } });
    expect(await until(async () => (await published(address)) !== undefined, 5_000, 10)).toBe(true);
    expect(await published(address)).toEqual({ reasons: ['bounce'], at: expect.any(Number) as number });
    const found = await get(`/${encodeURIComponent(address)}`);
    expect(found.status).toBe(200);
    expect(found.body).toEqual({
      address,
      code: '551',
      error: 'no such user',
      created_at: expect.stringMatching(/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/) as string,
    });
    const removed = await around.call(ana, 'DELETE', `/${encodeURIComponent(address)}`);
    expect(removed).toEqual({ status: 200, body: { message: 'Bounced address has been removed', address } });
    expect(await until(async () => (await published(address)) === undefined, 5_000, 10)).toBe(true);
    const gone = { status: 404, body: { message: 'Address not found in bounces table' } };
    expect(await get(`/${encodeURIComponent(address)}`)).toEqual(gone);
    expect(await around.call(ana, 'DELETE', `/${encodeURIComponent(address)}`)).toEqual(gone);
  });

  it('is one whatever the case, and however its path is written', async () => {
    await post({ address: 'Some.One+tag@X.Example' });
    await post({ address: 'some.one+tag@x.example', error: 'again' });
    for (const path of ['/Some.One+tag@X.EXAMPLE', '/some.one%2Btag%40x.example', '/SOME.ONE%2btag@x.example']) {
      expect((await get(path)).body).toMatchObject({ address: 'some.one+tag@x.example', error: 'again' });
    }
    // Decoded once: this is a local part with a percent sign in it, and nobody's.
    expect((await get('/some.one%252Btag@x.example')).status).toBe(404);
    expect((await get('/nobody')).status).toBe(404);
    expect((await get('/%zz@x.example')).status).toBe(400);
  });

  it('keeps the date it is given, unless that is absurd', async () => {
    await post([
      { address: 'dated@x.example', created_at: 'Thu, 13 Oct 2011 18:02:00 GMT' },
      { address: 'year-one@x.example', code: '', error: '', created_at: 'Mon, 01 Jan 0001 00:00:00 +0000' },
    ]);
    expect((await get('/dated@x.example')).body['created_at']).toBe('Thu, 13 Oct 2011 18:02:00 GMT');
    const { code, created_at: at } = (await get('/year-one@x.example')).body;
    expect(code).toBe('550');
    expect(Math.abs(Date.parse(at as string) - Date.now())).toBeLessThan(60_000);
  });

  it('of another account, or for another of its domains, is none', async () => {
    const [ben, second] = [await around.domain(), await around.domain(ana.account)];
    await post({ address: 'mine@x.example' });
    expect((await get('/mine@x.example', ben)).status).toBe(404);
    expect((await get('/mine@x.example', second)).status).toBe(404);
    expect(await around.call(ana, 'GET', '/mine@x.example', undefined, ben.account)).toEqual({
      status: 404,
      body: { message: 'Domain not found' },
    });
  });

  it('lies in the database without anything readable', async () => {
    await post({ address: 'secret.person@x.example', error: 'a word like quicksilver' });
    const { rows } = await around.database.query('SELECT * FROM suppression');
    const { rows: waiting } = await around.database.query('SELECT * FROM outbox');
    const text = JSON.stringify([rows, waiting]);
    expect(rows.length).toBeGreaterThan(0);
    for (const clear of ['secret.person', 'x.example', 'quicksilver']) expect(text).not.toContain(clear);
  });
});

describe('many bounces', () => {
  it('are added as an array, 1,000 at a time, all or none', async () => {
    const domain = await around.domain();
    const many = Array.from({ length: 1_000 }, (_, n) => ({
      address: `many${n}@x.example`,
      code: n % 2 ? 550 : '550',
    }));
    expect(await post(many, domain)).toEqual({
      status: 200,
      body: { message: '1000 addresses have been added to the bounces table' },
    });
    const key = await around.keyOf(domain, 'many999@x.example');
    expect(await until(() => around.table.get(key) !== undefined, 5_000, 10)).toBe(true);
    const refused = await post([{ address: 'fine@x.example' }, { address: 'broken' }], domain);
    expect(refused).toEqual({
      status: 400,
      body: { message: `'[1].address' parameter is not valid: an address needs the form local@domain` },
    });
    expect((await get('/fine@x.example', domain)).status).toBe(404);
    expect((await post([...many, ...many], domain)).status).toBe(400);
    expect(await around.call(domain, 'DELETE', '')).toEqual({
      status: 200,
      body: { message: 'Bounced addresses for this domain have been removed' },
    });
    expect(await until(() => around.table.get(key) === undefined, 5_000, 10)).toBe(true);
    expect(addresses(await get('', domain))).toEqual([]);
    // Nothing there any more: the same answer.
    expect((await around.call(domain, 'DELETE', '')).status).toBe(200);
  });
});

describe('the list', () => {
  let listed: Domain;
  const all = Array.from({ length: 12 }, (_, n) => `${n % 3 === 0 ? 'Third' : 'other'}${n}@x.example`);
  beforeAll(async () => {
    listed = await around.domain();
    await post(
      all.map((address) => ({ address })),
      listed,
    );
  });

  it('links are absolute and keep what was asked', async () => {
    const { paging } = (await get('?limit=5&term=t', listed)).body;
    expect(Object.keys(paging as object).toSorted()).toEqual(['first', 'last', 'next', 'previous']);
    for (const link of Object.values(paging as Record<string, string>)) {
      const { origin, pathname, searchParams } = new URL(link);
      expect([origin, pathname]).toEqual(['http://gateway.example', `/v3/${listed.name}/bounces`]);
      expect([searchParams.get('limit'), searchParams.get('term')]).toEqual(['5', 't']);
    }
  });

  it.each([
    ['next', 'first'],
    ['previous', 'last'],
  ])('%s from the %s page shows everybody once and ends with an empty page', async (way, from) => {
    const seen: string[] = [];
    let page = await get(`?page=${from}&limit=5`, listed);
    const sizes: number[] = [];
    for (let turns = 0; turns < 6 && addresses(page).length > 0; turns += 1) {
      seen.push(...addresses(page));
      sizes.push(addresses(page).length);
      page = await follow(page.body['paging'][way], listed);
    }
    expect(sizes).toEqual([5, 5, 2]);
    expect(seen.toSorted()).toEqual(all.toSorted());
    // Turning back from behind the end skips nobody.
    const back = await follow(page.body['paging'][way === 'next' ? 'previous' : 'next'], listed);
    expect(addresses(back)).toHaveLength(5);
  });

  it('is in one order, from either end', async () => {
    const forwards = addresses(await get('', listed));
    expect(addresses(await get('?page=last', listed))).toEqual(forwards);
    const [, second, third] = forwards;
    const pivot = encodeURIComponent(forwards[3]?.toUpperCase() ?? '');
    expect(addresses(await get(`?page=prev&address=${pivot}&limit=2`, listed))).toEqual([second, third]);
    expect(addresses(await get(`?page=next&address=${pivot}&limit=1`, listed))).toEqual([forwards[4]]);
    // A pivot need not be in the list.
    expect((await get('?page=next&address=nobody@x.example', listed)).status).toBe(200);
  });

  it('term shows whom it begins, over pages', async () => {
    const first = await get('?term=THIRD&limit=3', listed);
    const second = await follow(first.body['paging'].next, listed);
    const third = await follow(second.body['paging'].next, listed);
    const shown = [first, second, third].flatMap(addresses);
    expect(shown.toSorted()).toEqual(all.filter((address) => address.startsWith('Third')).toSorted());
    expect(addresses(await get('?term=hird', listed))).toEqual([]);
  });

  it('leaves out who was forgotten this moment, and goes on', async () => {
    const [subject] = await around.vault.ingest.subjectsFor(listed.account, ['third0@x.example']);
    await around.vaultAdmin.query('UPDATE vault.subject SET cut_off = now() WHERE subject_id = $1', [subject]);
    const without = async () => (await get('/third0@x.example', listed)).status === 404;
    expect(await until(without, 5_000)).toBe(true);
    expect(await until(without, 5_000)).toBe(true);
    const page = addresses(await get('?limit=11', listed));
    expect(page.toSorted()).toEqual(all.filter((address) => address !== 'Third0@x.example').toSorted());
  });

  it.each(['?limit=1001', '?page=third', '?page=next&address=nobody'])('refuses %s', async (path) => {
    expect((await get(path, listed)).status).toBe(400);
  });
});

function multipart(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}
