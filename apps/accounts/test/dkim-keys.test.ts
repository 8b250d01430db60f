import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { DkimKey } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAccount, startSetting } from './setting.ts';
import type { Setting, Who } from './setting.ts';

let setting: Setting;
let ana: Who;
let ben: Who;
let id: string;

interface Shown {
  selector: string;
  active: boolean;
  dns_record: { name: string; value: string; valid: string; is_active: boolean };
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);
const signing = () => setting.domains.get(id)?.dkim?.selector;

const newDomain = async (name: string): Promise<string> =>
  (await setting.call(ana, 'POST', '/v4/domains', form({ name }))).body['domain'].id;
const newKey = (signing_domain: string, selector: string, more: Record<string, string> = {}, who = ana) =>
  setting.call(who, 'POST', '/v1/dkim/keys', form({ signing_domain, selector, ...more }));
const keys = async (name = 'mail.example'): Promise<Shown[]> =>
  (await setting.call(ana, 'GET', `/v4/domains/${name}/keys`)).body['items'];
const put = (path: string, who = ana) => setting.call(who, 'PUT', `/v4/domains/mail.example/${path}`);
const publish = async (selector: string, name = 'mail.example') => {
  const key = (await keys(name)).find((one) => one.selector === selector);
  await setting.register(key?.dns_record.name ?? '', 'TXT', key?.dns_record.value ?? '');
};

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  [ana, ben] = [await newAccount(setting), await newAccount(setting)];
  id = await newDomain('mail.example');
});
afterAll(() => setting?.close());

describe('a rotation of DKIM keys', () => {
  it('begins with a key that is shown and signs nothing', async () => {
    const { status, body } = await newKey('Mail.example', 'Second', { bits: '1024' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      signing_domain: 'mail.example',
      selector: 'second',
      active: false,
      dns_record: {
        name: 'second._domainkey.mail.example',
        record_type: 'TXT',
        valid: 'unknown',
        is_active: false,
        cached: [],
      },
    });
    // Never less than 2048 bits, whatever was asked for (RFC 8301).
    const der = Buffer.from(body['dns_record'].value.split('p=')[1], 'base64');
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
    expect(publicKey.asymmetricKeyDetails?.modulusLength).toBe(2_048);
    const domain = (await setting.call(ana, 'GET', '/v4/domains/mail.example')).body;
    expect(domain['sending_dns_records'].map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['lethe._domainkey.mail.example', 'second._domainkey.mail.example']),
    );
    await soon(() => signing() === 'lethe');
  });

  it('goes no further while the record is not in the DNS', async () => {
    expect(await put('keys/second/activate')).toEqual({
      status: 400,
      body: { message: 'selector: its record is not in the DNS yet' },
    });
    expect((await put('verify')).body['domain'].state).toBe('unverified');
    expect((await keys()).map(({ selector, active }) => [selector, active])).toEqual([
      ['lethe', true],
      ['second', false],
    ]);
    expect(signing()).toBe('lethe');
  });

  it('gives the signature to the new key once it is found, and leaves the old one beside it', async () => {
    await publish('second');
    const verified = (await put('verify')).body;
    // The key that signs is what counts.
    expect(verified['domain'].state).toBe('active');
    await soon(() => signing() === 'second');
    expect(
      (await keys()).map(({ selector, active, dns_record: { valid, is_active } }) => [
        selector,
        active,
        valid,
        is_active,
      ]),
    ).toEqual([
      ['lethe', true, 'invalid', false],
      ['second', true, 'valid', true],
    ]);
    const expected = { account: ana.account, type: 'dkim-key', recordId: id };
    const { privateKey } = await setting.vault.openForAccount<DkimKey>(
      setting.domains.get(id)?.dkim?.privateKey ?? '',
      expected,
    );
    const spki = createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'der' });
    expect((await keys())[1]?.dns_record.value).toBe(`v=DKIM1; k=rsa; p=${spki.toString('base64')}`);
  });

  it('goes back when it is asked to, and what was made inactive stays so', async () => {
    await publish('lethe');
    expect((await put('keys/lethe/activate')).body).toEqual({
      message: 'domain key activated',
      authority: 'mail.example',
      selector: 'lethe',
      active: true,
    });
    await soon(() => signing() === 'lethe');
    expect((await put('keys/second/deactivate')).body).toMatchObject({ selector: 'second', active: false });
    await put('verify');
    expect((await keys()).map(({ active }) => active)).toEqual([true, false]);
    expect(signing()).toBe('lethe');
  });

  it('never leaves a domain without a key that signs', async () => {
    const message = 'selector: is that of the only active key: activate another first';
    expect(await put('keys/lethe/deactivate')).toEqual({ status: 400, body: { message } });
    const remove = (selector: string, who = ana) =>
      setting.call(who, 'DELETE', `/v1/dkim/keys?signing_domain=mail.example&selector=${selector}`);
    expect(await remove('lethe')).toEqual({ status: 400, body: { message } });
    expect((await remove('second', ben)).status).toBe(404);
    expect(await remove('second')).toEqual({ status: 200, body: { message: 'Domain key has been deleted' } });
    expect(await remove('second')).toEqual({ status: 404, body: { message: 'Domain key not found' } });
    expect((await keys()).map(({ selector }) => selector)).toEqual(['lethe']);
    const { rows } = await setting.app
      .get(Database)
      .pool.query(`SELECT selector FROM dkim_key WHERE domain_id = $1`, [id]);
    expect(rows).toEqual([{ selector: 'lethe' }]);
  });

  it('can be asked for by a new selector, as older clients do', async () => {
    expect((await setting.call(ana, 'PUT', '/v3/domains/mail.example/dkim_selector?dkim_selector=lethe')).status).toBe(
      200,
    );
    expect(await keys()).toHaveLength(1);
    const { body } = await setting.call(
      ana,
      'PUT',
      '/v3/domains/mail.example/dkim_selector',
      form({ dkim_selector: 'next' }),
    );
    expect(body).toEqual({ message: 'Domain DKIM selector updated' });
    expect((await keys()).map(({ selector, active }) => [selector, active])).toEqual([
      ['lethe', true],
      ['next', false],
    ]);
    const authority = await setting.call(ana, 'PUT', '/v3/domains/mail.example/dkim_authority?self=true');
    expect(authority.body).toMatchObject({ changed: false, sending_dns_records: expect.any(Array) });
    expect((await setting.call(ana, 'PUT', '/v3/domains/mail.example/dkim_authority?self=false')).status).toBe(400);
  });

  it('waits for a DNS that is silent, which changes nothing', async () => {
    const silent = await newDomain('mail.servfail.example');
    await newKey('mail.servfail.example', 'second');
    const activate = await setting.call(ana, 'PUT', '/v4/domains/mail.servfail.example/keys/second/activate');
    expect(activate).toEqual({ status: 503, body: { message: 'the DNS does not answer: try again' } });
    await setting.call(ana, 'PUT', '/v4/domains/mail.servfail.example/verify');
    expect((await keys('mail.servfail.example')).map(({ active, dns_record: { valid } }) => [active, valid])).toEqual([
      [true, 'unknown'],
      [false, 'unknown'],
    ]);
    expect(setting.domains.get(silent)?.dkim?.selector).toBe('lethe');
  });
});

describe('a key the customer brings', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = String(privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const value = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;

  it.each([
    ['a field', 'field', pem],
    ['a file', 'file', new Blob([pem])],
  ])('comes as %s, and is in no row in clear', async (_, selector, given) => {
    const name = `${selector}.brought.example`;
    await newDomain(name);
    const data = new FormData();
    data.append('signing_domain', name);
    data.append('selector', selector);
    if (typeof given === 'string') data.append('pem', given);
    else data.append('pem', given, 'dkim.pem');
    const { status, body } = await setting.call(ana, 'POST', '/v1/dkim/keys', data);
    expect([status, body['dns_record']?.value]).toEqual([200, value]);
    const { rows } = await setting.app.get(Database).pool.query('SELECT * FROM dkim_key');
    expect(JSON.stringify(rows)).toContain(name.split('.')[0]);
    expect(JSON.stringify(rows)).not.toContain('PRIVATE KEY');
    expect(JSON.stringify(rows)).not.toContain(pem.split('\n')[1]);
  });

  it('is refused without a word of it, if mail cannot be signed with it', async () => {
    const weak = String(
      generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    expect(await newKey('mail.example', 'weak', { pem: weak })).toEqual({
      status: 400,
      body: { message: 'pem: must be a private key without a password, RSA of 2048 to 4096 bits or Ed25519' },
    });
    const data = new FormData();
    data.append('signing_domain', 'mail.example');
    data.append('selector', 'large');
    data.append('pem', new Blob(['x'.repeat(20_000)]), 'dkim.pem');
    expect((await setting.call(ana, 'POST', '/v1/dkim/keys', data)).status).toBe(413);
  });
});

describe('an Ed25519 key', () => {
  it('signs beside the RSA key once it is in the DNS, and never alone', async () => {
    const both = await newDomain('both.example');
    const { body } = await newKey('both.example', 'ed', { algorithm: 'ed25519' });
    expect(body).toMatchObject({ algorithm: 'ed25519', active: false });
    expect(body['dns_record'].value).toMatch(/^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=$/);
    await publish('ed', 'both.example');
    const verified = (await setting.call(ana, 'PUT', '/v4/domains/both.example/verify')).body;
    // Not everybody verifies Ed25519: the domain waits for its RSA key.
    expect(verified['domain'].state).toBe('unverified');
    await soon(() => setting.domains.get(both)?.dkimEd25519?.selector === 'ed');
    const published = setting.domains.get(both);
    expect(published?.dkim?.selector).toBe('lethe');
    const expected = { account: ana.account, type: 'dkim-key', recordId: both };
    const { privateKey } = await setting.vault.openForAccount<DkimKey>(
      published?.dkimEd25519?.privateKey ?? '',
      expected,
    );
    expect(createPrivateKey(privateKey).asymmetricKeyType).toBe('ed25519');
    expect((await setting.call(ana, 'PUT', '/v4/domains/both.example/keys/lethe/deactivate')).status).toBe(400);
    expect((await setting.call(ana, 'PUT', '/v4/domains/both.example/keys/ed/deactivate')).status).toBe(200);
    await soon(() => setting.domains.get(both)?.dkimEd25519 === undefined);
    expect((await newKey('both.example', 'x', { algorithm: 'dsa' })).body['message']).toBe(
      'algorithm: must be rsa or ed25519',
    );
    await setting.call(ana, 'DELETE', '/v3/domains/both.example');
  });
});

describe('the list of all keys', () => {
  const BASE = 'http://gateway.example';
  const follow = async (url: string) => {
    expect(url.startsWith(`${BASE}/v1/dkim/keys?`)).toBe(true);
    return (await setting.call(ana, 'GET', url.slice(BASE.length))).body;
  };
  const names = (body: Record<string, any>) =>
    body['items'].map(
      (item: { signing_domain: string; selector: string }) => `${item.selector}.${item.signing_domain}`,
    );

  it('goes in pages, there and back, and ends with an empty one', async () => {
    const all = (await setting.call(ana, 'GET', '/v1/dkim/keys?page=&limit=')).body;
    expect(all['total_count']).toBe(8);
    expect(names(all)).toHaveLength(8);
    const first = (await setting.call(ana, 'GET', '/v1/dkim/keys?limit=5&limit=5')).body;
    const second = await follow(first['paging'].next);
    expect([...names(first), ...names(second)]).toEqual(names(all));
    const end = await follow(second['paging'].next);
    expect(end['items']).toEqual([]);
    expect(await follow(end['paging'].next)).toEqual(end);
    expect(names(await follow(end['paging'].previous))).toEqual(names(all).slice(-5));
    expect(names(await follow(second['paging'].previous))).toEqual(names(first));
    const start = await follow(first['paging'].previous);
    expect(start['items']).toEqual([]);
    expect(names(await follow(start['paging'].next))).toEqual(names(first));
    expect(names(await follow(second['paging'].last))).toEqual(names(all).slice(-5));
  });

  it('keeps its filters', async () => {
    const list = (query: string, who = ana) => setting.call(who, 'GET', `/v1/dkim/keys?${query}`);
    expect(names((await list('signing_domain=MAIL.example')).body)).toEqual([
      'lethe.mail.example',
      'next.mail.example',
    ]);
    const seconds = (await list('selector=lethe&limit=1')).body;
    expect(seconds['total_count']).toBe(4);
    expect(names(await follow(seconds['paging'].next))).toEqual(['lethe.mail.servfail.example']);
    expect((await list('signing_domain=mail.example', ben)).body['items']).toEqual([]);
    expect((await list('signing_domain=none')).body['items']).toEqual([]);
  });
});

describe('bad input names its field', () => {
  it.each([
    [{ signing_domain: 'mail.example', selector: 'lethe' }, 400, 'selector: is taken already'],
    [{ signing_domain: 'mail.example', selector: 'a b' }, 400, 'selector: must be one label'],
    [{ signing_domain: 'mail.example' }, 400, 'selector: is missing'],
    [{ selector: 's' }, 400, 'signing_domain: is missing'],
    [{ signing_domain: 'mail.example', selector: 's', bits: '512' }, 400, 'bits: must be 1024 or 2048'],
    [{ signing_domain: 'other.example', selector: 's' }, 404, 'Domain not found'],
  ])('POST %j', async (fields, status, start) => {
    const answer = await setting.call(ana, 'POST', '/v1/dkim/keys', form(fields));
    expect([answer.status, answer.body['message'].slice(0, start.length)]).toEqual([status, start]);
  });

  it('a domain has three keys, and another account none of them', async () => {
    expect((await newKey('mail.example', 'third')).status).toBe(200);
    const { status, body } = await newKey('mail.example', 'fourth');
    expect([status, body['message']]).toEqual([400, 'selector: a domain has at most 3 DKIM keys']);
    for (const path of [
      'keys/lethe/activate',
      'keys/lethe/deactivate',
      'dkim_selector?dkim_selector=x',
      'dkim_authority?self=yes',
    ]) {
      expect(await put(path, ben)).toEqual({ status: 404, body: { message: 'Domain not found' } });
    }
    expect((await setting.call(ben, 'GET', '/v4/domains/mail.example/keys')).status).toBe(404);
    expect((await newKey('mail.example', 'x', {}, ben)).status).toBe(404);
    expect((await put('keys/nobody/activate')).body).toEqual({ message: 'Domain key not found' });
    for (const query of ['limit=101', 'page=third', 'page=after-x']) {
      const answer = await setting.call(ana, 'GET', `/v1/dkim/keys?${query}`);
      expect([answer.status, answer.body['message'].split(':')[0]]).toEqual([400, query.split('=')[0]]);
    }
  });
});
