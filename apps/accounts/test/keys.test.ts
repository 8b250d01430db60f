import { createHash } from 'node:crypto';
import { Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ROLES } from '../src/keys/roles.ts';
import { newAccount, startSetting, type Setting, type Who } from './setting.ts';

let setting: Setting;
let ana: Who;

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);
const sha256 = (secret: string) => createHash('sha256').update(secret).digest('hex');
const published = () => setting.accounts.get(ana.account)?.keys ?? [];
const make = (fields: Record<string, string>) => setting.call(ana, 'POST', '/v1/keys', form(fields));
const list = async (query = '') => (await setting.call(ana, 'GET', `/v1/keys${query}`)).body['items'];

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  ana = await newAccount(setting);
  await setting.call(ana, 'POST', '/v4/domains', form({ name: 'ana.example' }));
});
afterAll(() => setting?.close());

describe('API keys', () => {
  it('say what they are for to their account alone', async () => {
    const { body } = await make({ role: 'basic', kind: 'user', description: 'For Ms Secret', expiration: '' });
    expect(body['key']).toMatchObject({ description: 'For Ms Secret', kind: 'user', expires_at: '' });
    expect((await list()).at(-1)).toMatchObject({ id: body['id'], description: 'For Ms Secret' });
    await soon(() => published().some(({ id }) => id === body['id']));
    const { rows } = await setting.app.get(Database).pool.query('SELECT * FROM api_key');
    expect(JSON.stringify([rows, published()])).not.toContain('Ms Secret');
  });

  it('are listed by kind', async () => {
    expect((await make({ role: 'sending', kind: 'domain', domain_name: 'ana.example' })).status).toBe(200);
    const kinds = async (query: string) => (await list(query)).map((item: { kind: string }) => item.kind);
    expect(await kinds('?kind=domain&domain_name=')).toEqual(['domain']);
    expect(new Set(await kinds('?kind=user'))).toEqual(new Set(['user']));
    expect((await setting.call(ana, 'GET', '/v1/keys?kind=other')).status).toBe(400);
  });

  it.each([
    [{ role: 'sending', kind: 'domain' }, 'domain_name: is missing'],
    [{ role: 'admin', kind: 'domain', domain_name: 'ana.example' }, 'role: must be sending for the key of a domain'],
    [{ role: 'basic', kind: 'web' }, 'kind: is not supported yet'],
    [{ role: 'public' }, 'role: must be one of admin, developer, basic, sending, privacy'],
    [{ role: 'basic', description: 'x'.repeat(257) }, 'description: has up to 256 characters'],
  ])('%j are refused', async (fields, message) => {
    expect(await make(fields)).toEqual({ status: 400, body: { message } });
  });

  it('one is public: it may do nothing yet, and there is one at a time', async () => {
    const again = async () => (await setting.call(ana, 'POST', '/v1/keys/public')).body['key'] as string;
    const [first, second] = [await again(), await again()];
    expect(first).toMatch(/^pubkey-[0-9a-f]{64}$/);
    await soon(() => published().some(({ hash }) => hash === sha256(second)));
    expect(published().find(({ hash }) => hash === sha256(second))?.scopes).toEqual([]);
    expect(published().some(({ hash }) => hash === sha256(first))).toBe(false);
    expect((await list('?kind=web')).length).toBe(1);
  });

  it('are never left without one that may manage them', async () => {
    const ben = await newAccount(setting);
    const keys = async () =>
      (await setting.call(ben, 'GET', '/v1/keys')).body['items'] as { id: string; role: string }[];
    const create = (fields: Record<string, string>) => setting.call(ben, 'POST', '/v1/keys', form(fields));
    const remove = (id: string) => setting.call(ben, 'DELETE', `/v1/keys/${id}`);
    const last = 'This is the last admin key, which no other can make anew: make another first';
    const refused = { status: 400, body: { message: last } };
    const first = (await keys()).find(({ role }) => role === 'admin')?.id ?? '';
    await create({ role: 'developer' });
    await create({ role: 'admin', expiration: '60' });
    expect(await remove(first)).toEqual(refused);
    const { body } = await create({ role: 'admin' });
    expect((await remove(first)).status).toBe(200);
    expect(await remove(body['id'])).toEqual(refused);
    for (const { id, role } of await keys()) {
      if (!['admin', 'privacy'].includes(role)) expect((await remove(id)).status).toBe(200);
    }
  });

  it('that erase people are out of reach of those that do not, and made anew by their like', async () => {
    const ben = await newAccount(setting);
    const officer = { ...ben, scopes: [...ROLES.privacy] };
    const items = (await setting.call(ben, 'GET', '/v1/keys')).body['items'] as { id: string; role: string }[];
    const idOf = (role: string) => items.find((item) => item.role === role)?.id ?? '';
    const remove = async (who: Who, id: string) => (await setting.call(who, 'DELETE', `/v1/keys/${id}`)).status;
    expect(await remove(ben, idOf('privacy'))).toBe(403);
    expect(await remove(officer, idOf('admin'))).toBe(403);
    expect(await remove(officer, idOf('privacy'))).toBe(400);
    const made = await setting.call(officer, 'POST', '/v1/keys', form({ role: 'privacy' }));
    expect(made.body['key']).toMatchObject({ role: 'privacy' });
    expect((await setting.call(officer, 'POST', '/v1/keys', form({ role: 'sending' }))).status).toBe(403);
    expect(await remove(officer, idOf('privacy'))).toBe(200);
    expect(await remove(officer, made.body['id'])).toBe(400);
  });
});
