import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { newAccount, startSetting, TRACKING_HOST } from './setting.ts';
import type { Setting, Who } from './setting.ts';

let setting: Setting;
let ana: Who;
let ben: Who;
let id: string;

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);
const call = (method: 'GET' | 'PUT', path: string, fields?: Record<string, string>, who = ana) =>
  setting.call(who, method, path, fields && form(fields));
const published = () => setting.domains.get(id);

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  [ana, ben] = [await newAccount(setting), await newAccount(setting)];
  for (const name of ['mail.example', 'a.list.example', 'b.list.example', 'c-other.example']) {
    const { body } = await setting.call(ana, 'POST', '/v4/domains', form({ name }));
    if (name === 'mail.example') ({ id } = body['domain']);
  }
  await setting.call(ben, 'POST', '/v4/domains', form({ name: 'x.list.example' }));
});
afterAll(() => setting?.close());

describe('the list of domains', () => {
  const names = async (query: string) => {
    const { status, body } = await call('GET', `/v3/domains${query}`);
    expect(status).toBe(200);
    return { names: body['items'].map(({ name }: { name: string }) => name), total: body['total_count'] };
  };
  const ALL = ['a.list.example', 'b.list.example', 'c-other.example', 'mail.example'];

  it.each([
    ['', ALL],
    ['?limit=&skip=&state=&search=&sort=', ALL],
    ['?sort=name:asc', ALL],
    ['?sort=name:desc', ALL.toReversed()],
    ['?search=LIST', ['a.list.example', 'b.list.example']],
    ['?search=%25', []],
    ['?authority=Mail.example', ['mail.example']],
    ['?authority=x.list.example', []],
    ['?state=unverified&search=b.', ['b.list.example']],
    ['?state=active', []],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual({ names: expected, total: expected.length });
  });

  it('counts what it does not show', async () => {
    expect(await names('?search=.example&sort=name:desc&skip=1&limit=2')).toEqual({
      names: ['c-other.example', 'b.list.example'],
      total: 4,
    });
  });

  it.each([
    ['limit=1001', 'limit: '],
    ['limit=0', 'limit: '],
    ['skip=-1', 'skip: '],
    ['state=on', 'state: '],
    ['sort=created', 'sort: '],
    ['search=a&search=b', 'search: '],
  ])('names what is wrong with %s', async (query, start) => {
    const { status, body } = await call('GET', `/v4/domains?${query}`);
    expect([status, body['message'].slice(0, start.length)]).toEqual([400, start]);
  });
});

describe('changes of a domain', () => {
  it('are answered with the whole domain, and are those that were sent', async () => {
    const { body } = await call('PUT', '/v4/domains/mail.example', {
      web_scheme: 'http',
      web_prefix: 'Links',
      wildcard: 'True',
      spam_action: 'tag',
      message_ttl: '172800',
      use_automatic_sender_security: 'false',
    });
    const changed = {
      id,
      name: 'mail.example',
      state: 'unverified',
      web_scheme: 'http',
      web_prefix: 'links',
      tracking_host: 'links.mail.example',
      wildcard: true,
      spam_action: 'tag',
      message_ttl: 172_800,
    };
    expect(body['message']).toBe('Domain has been updated');
    expect(body['domain']).toMatchObject(changed);
    expect(body['sending_dns_records']).toContainEqual(
      expect.objectContaining({ record_type: 'CNAME', name: 'links.mail.example', value: TRACKING_HOST }),
    );
    await soon(() => published()?.bodiesDays === 2);
    const nothing = await call('PUT', '/v3/domains/mail.example');
    expect(nothing).toMatchObject({ status: 200, body: { domain: changed } });
    expect((await call('PUT', '/v3/domains/mail.example/web_prefix?web_prefix=click')).body['message']).toMatch(
      /updated/,
    );
    const { domain } = (await call('GET', '/v4/domains/mail.example?h:extended=true&h:with_dns=true')).body;
    expect(domain).toMatchObject({ ...changed, web_prefix: 'click', tracking_host: 'click.mail.example' });
  });

  it('can be chosen when it is made', async () => {
    const { body } = await setting.call(ana, 'POST', '/v4/domains', {
      name: 'made.example',
      wildcard: true,
      spam_action: 'block',
      web_scheme: 'http',
      message_ttl: 86_400,
    });
    expect(body['domain']).toMatchObject({
      wildcard: true,
      spam_action: 'block',
      web_scheme: 'http',
      message_ttl: 86_400,
    });
  });

  it('can be to keep no message, and to keep them again', async () => {
    for (const days of [0, 7]) {
      const seconds = days * 86_400;
      const { status, body } = await call('PUT', '/v4/domains/mail.example', { message_ttl: `${seconds}` });
      expect([status, body['domain'].message_ttl]).toEqual([200, seconds]);
      await soon(() => published()?.bodiesDays === days);
    }
  });

  it('can be how long a message is tried, and to leave that to the platform again', async () => {
    for (const seconds of [604_800, 300, 0]) {
      const { status, body } = await call('PUT', '/v4/domains/mail.example', { message_expiry: `${seconds}` });
      expect([status, body['domain'].message_expiry]).toEqual([200, seconds]);
      await soon(() => published()?.expirySeconds === (seconds || undefined));
    }
  });

  it('leave the other account’s domains alone', async () => {
    expect(await call('PUT', '/v4/domains/mail.example', { wildcard: 'no' }, ben)).toEqual({
      status: 404,
      body: { message: 'Domain not found' },
    });
    expect((await call('GET', '/v4/domains/mail.example')).body['domain'].wildcard).toBe(true);
  });

  it.each([
    [{ web_scheme: 'ftp' }, 'web_scheme: '],
    [{ web_prefix: 'a.b' }, 'web_prefix: '],
    [{ wildcard: 'perhaps' }, 'wildcard: '],
    [{ spam_action: 'eat' }, 'spam_action: '],
    [{ message_ttl: '3600' }, 'message_ttl: '],
    [{ message_ttl: '691200' }, 'message_ttl: '],
    [{ message_ttl: '0.0' }, 'message_ttl: '],
    [{ message_ttl: '-86400' }, 'message_ttl: '],
    [{ message_expiry: '299' }, 'message_expiry: '],
    [{ message_expiry: '604801' }, 'message_expiry: '],
    [{ message_expiry: '1d' }, 'message_expiry: '],
    [{ archive_to: 'copies@archive.example' }, 'archive_to: is not supported yet'],
    [{ encrypt_incoming_message: 'yes' }, 'encrypt_incoming_message: is not supported yet'],
    [{ mailfrom_host: 'mail.mail.example' }, 'mailfrom_host: is not supported yet'],
  ])('%j is refused, and names the field', async (fields, start) => {
    const { status, body } = await call('PUT', '/v4/domains/mail.example', fields);
    expect([status, body['message'].slice(0, start.length)]).toEqual([400, start]);
    expect(JSON.stringify(body)).not.toContain('archive.example');
    expect((await call('PUT', '/v4/domains/mail.example/web_prefix')).status).toBe(400);
  });
});

describe('connection settings', () => {
  it('are the domain’s, and reach delivery', async () => {
    const off = { require_tls: false, skip_verification: false };
    expect((await call('GET', '/v3/domains/mail.example/connection')).body).toEqual({ connection: off });
    expect(published()?.requireTls).toBe(false);
    const { body } = await call('PUT', '/v3/domains/mail.example/connection', { require_tls: 'yes' });
    expect(body).toEqual({ message: expect.any(String), require_tls: true, skip_verification: false });
    await soon(() => published()?.requireTls === true);
    const changed = await call('PUT', '/v4/domains/mail.example', { skip_verification: 'true', require_tls: '' });
    expect(changed.body['domain']).toMatchObject({ require_tls: true, skip_verification: true });
    await soon(() => published()?.skipVerification === true);
    expect((await call('GET', '/v3/domains/mail.example/connection')).body).toEqual({
      connection: { require_tls: true, skip_verification: true },
    });
    await call('PUT', '/v3/domains/mail.example/connection', { require_tls: 'false' });
    await soon(() => published()?.requireTls === false);
  });

  it('name what is wrong, and are nobody else’s', async () => {
    const wrong = await call('PUT', '/v3/domains/mail.example/connection', { require_tls: 'often' });
    expect(wrong).toEqual({ status: 400, body: { message: 'require_tls: must be yes or no' } });
    for (const method of ['GET', 'PUT'] as const) {
      expect((await call(method, '/v3/domains/mail.example/connection', undefined, ben)).status).toBe(404);
    }
  });
});

describe('tracking settings', () => {
  const tracking = async () => (await call('GET', '/v3/domains/mail.example/tracking')).body['tracking'];

  it('are off until they are turned on', async () => {
    expect(await tracking()).toEqual({
      open: { active: false, place_at_the_top: false },
      click: { active: false },
      unsubscribe: {
        active: false,
        html_footer: expect.stringContaining('%unsubscribe_url%'),
        text_footer: expect.stringContaining('%unsubscribe_url%'),
      },
      web_scheme: 'http',
    });
  });

  it('change one by one, in Mailgun’s shapes', async () => {
    const message = 'Domain tracking settings have been updated';
    const put = async (kind: string, fields: Record<string, string>) =>
      (await call('PUT', `/v3/domains/mail.example/tracking/${kind}`, fields)).body;
    expect(await put('open', { active: 'yes' })).toEqual({ message, open: { active: true, place_at_the_top: false } });
    expect(await put('open', { place_at_the_top: '1' })).toEqual({
      message,
      open: { active: true, place_at_the_top: true },
    });
    expect(await put('click', { active: 'htmlonly' })).toEqual({ message, click: { active: true } });
    const custom = { html_footer: '<p>Ask Jane Doe</p>', text_footer: 'Ask Jane Doe' };
    expect(await put('unsubscribe', { active: 'true', ...custom })).toEqual({
      message,
      unsubscribe: { active: true, ...custom },
    });
    expect(await until(() => setting.domains.get(id)?.unsubscribeTracking === true, 5_000, 20)).toBe(true);
    // Go's client sends both footers, empty, when it only switches.
    expect(await put('unsubscribe', { active: 'no', html_footer: '', text_footer: 'Ask us' })).toEqual({
      message,
      unsubscribe: { active: false, html_footer: custom.html_footer, text_footer: 'Ask us' },
    });
    expect(await tracking()).toMatchObject({
      open: { active: true, place_at_the_top: true },
      click: { active: true },
      unsubscribe: { active: false, html_footer: custom.html_footer, text_footer: 'Ask us' },
    });
    const { rows } = await setting.app.get(Database).pool.query('SELECT * FROM domain WHERE id = $1', [id]);
    expect(JSON.stringify(rows)).toContain('"click_tracking":"htmlonly"');
    expect(JSON.stringify(rows)).not.toContain('Jane');
    expect(await put('click', { active: 'no' })).toEqual({ message, click: { active: false } });
  });

  it.each([
    ['open', { active: 'htmlonly' }, 'active: '],
    ['click', { active: 'sometimes' }, 'active: '],
    ['unsubscribe', { html_footer: 'x'.repeat(8_193) }, 'html_footer: '],
  ])('of %s name what is wrong', async (kind, fields, start) => {
    const { status, body } = await call('PUT', `/v3/domains/mail.example/tracking/${kind}`, fields);
    expect([status, body['message'].slice(0, start.length)]).toEqual([400, start]);
  });

  it('are nobody else’s', async () => {
    expect((await call('GET', '/v3/domains/mail.example/tracking', undefined, ben)).status).toBe(404);
    for (const kind of ['open', 'click', 'unsubscribe']) {
      const path = `/v3/domains/mail.example/tracking/${kind}`;
      expect((await call('PUT', path, { active: 'yes' }, ben)).status).toBe(404);
    }
  });
});
