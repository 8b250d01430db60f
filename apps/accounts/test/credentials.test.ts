import type { SmtpCredential } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { verifyPassword } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAccount, startSetting } from './setting.ts';
import type { Setting, Who } from './setting.ts';

const CHOSEN = 'correct horse battery';
let setting: Setting;
let ana: Who;
let ben: Who;
let domainId: string;

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean | Promise<boolean>) =>
  expect(await until(condition, 5_000, 20)).toBe(true);
const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path = '', body?: URLSearchParams, who = ana) =>
  setting.call(who, method, `/v3/domains/mail.example/credentials${path}`, body);
const published = () => setting.domains.get(domainId)?.smtpCredentials ?? [];

/** As ingest would read them. */
async function opened(): Promise<SmtpCredential[]> {
  return Promise.all(
    published().map(({ id, credential }) =>
      setting.vault.openForAccount<SmtpCredential>(credential, {
        account: ana.account,
        type: 'smtp-credential',
        recordId: id,
      }),
    ),
  );
}

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  [ana, ben] = [await newAccount(setting), await newAccount(setting)];
  domainId = (await setting.call(ana, 'POST', '/v4/domains', form({ name: 'mail.example' }))).body['domain'].id;
});
afterAll(() => setting?.close());

describe('SMTP credentials', () => {
  it('a chosen password travels as an argon2id hash, sealed with its login; neither is in any row in clear', async () => {
    const made = await call('POST', '', form({ login: 'Bob.Builder', password: CHOSEN }));
    expect(made).toEqual({ status: 200, body: { message: 'Created 1 credentials pair(s)' } });
    await soon(() => published().length === 1);
    const [credential] = await opened();
    expect(credential?.login).toBe('bob.builder');
    expect(credential?.hash).toMatch(/^\$argon2id\$/);
    expect(await verifyPassword(CHOSEN, credential?.hash ?? '')).toBe(true);
    const { pool } = setting.app.get(Database);
    const rows = JSON.stringify((await pool.query('SELECT * FROM smtp_credential')).rows);
    expect(rows).toContain(published()[0]?.id);
    for (const clear of ['bob.builder', CHOSEN, 'argon2']) {
      expect(rows).not.toContain(clear);
      expect(JSON.stringify(published())).not.toContain(clear);
    }
  });

  it('a password that is made here is answered once, and has a fast hash', async () => {
    const { status, body } = await call('POST', '', form({ login: 'robot@MAIL.example' }));
    expect(status).toBe(200);
    const password = body['credentials']['robot@mail.example'] as string;
    expect(password).toMatch(/^[\w-]{43}$/);
    await soon(() => published().length === 2);
    const robot = (await opened()).find(({ login }) => login === 'robot');
    expect(robot?.hash).toMatch(/^\$sha256\$/);
    expect(await verifyPassword(password, robot?.hash ?? '')).toBe(true);
  });

  it('are listed in Mailgun’s shape, without a password', async () => {
    const { body } = await call('GET');
    expect(body['total_count']).toBe(2);
    expect(body['items'][0]).toEqual({
      login: 'bob.builder@mail.example',
      mailbox: 'bob.builder@mail.example',
      created_at: expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/),
      size_bytes: null,
    });
    expect((await call('GET', '?skip=1&limit=1')).body['items']).toHaveLength(1);
  });

  it('a new password replaces the old one in the topic', async () => {
    const [before] = published();
    expect((await call('PUT', '/bob.builder', form({ password: 'another staple' }))).body).toEqual({
      message: 'Password changed',
    });
    await soon(() => published().some(({ id, credential }) => id === before?.id && credential !== before?.credential));
    const bob = (await opened()).find(({ login }) => login === 'bob.builder');
    expect(await verifyPassword('another staple', bob?.hash ?? '')).toBe(true);
    expect(await verifyPassword(CHOSEN, bob?.hash ?? '')).toBe(false);
  });

  it('belong to one domain of one account', async () => {
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '', form({ login: 'eve' })],
      ['DELETE', '/robot', undefined],
      ['DELETE', '', undefined],
    ] as const) {
      expect(await call(method, path, body, ben)).toEqual({ status: 404, body: { message: 'Domain not found' } });
    }
    expect(published()).toHaveLength(2);
  });

  it.each([
    ['POST', '', {}, 400, 'login: is missing'],
    ['POST', '', { login: 'robot' }, 400, 'login: is taken already for this domain'],
    ['POST', '', { login: 'robot@other.example' }, 400, 'login: must be'],
    ['POST', '', { login: 'a b' }, 400, 'login: must be'],
    ['POST', '', { login: 'short', password: '1234567' }, 400, 'password: must have at least 8'],
    ['PUT', '/robot', {}, 400, 'password: is missing'],
    ['PUT', '/nobody', { password: CHOSEN }, 404, 'Credentials not found'],
    ['DELETE', '/nobody', undefined, 404, 'Credentials not found'],
  ] as const)('%s %s with %j is refused, and names the field', async (method, path, fields, status, start) => {
    const answer = await call(method, path, fields && form(fields));
    expect([answer.status, answer.body['message'].slice(0, start.length)]).toEqual([status, start]);
    expect(JSON.stringify(answer.body)).not.toMatch(/robot|nobody|other\.example/);
  });

  it('are revoked one by one, or all of them', async () => {
    expect((await call('DELETE', '/robot@mail.example')).body).toEqual({
      message: 'Credentials have been deleted',
      spec: 'robot@mail.example',
    });
    await soon(() => published().length === 1);
    expect((await call('DELETE')).body).toEqual({ message: 'All domain credentials have been deleted', count: 1 });
    await soon(() => published().length === 0);
    expect((await call('GET')).body).toEqual({ total_count: 0, items: [] });
  });

  it('end with their domain', async () => {
    await call('POST', '', form({ login: 'last' }));
    await soon(() => published().length === 1);
    await setting.call(ana, 'DELETE', '/v3/domains/mail.example');
    await soon(() => setting.domains.get(domainId) === undefined);
    const { rows } = await setting.app.get(Database).pool.query('SELECT id FROM smtp_credential');
    expect(rows).toEqual([]);
  });
});
