import { randomUUID } from 'node:crypto';
import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ROLES } from '../src/keys/roles.ts';
import { SignInWorker } from '../src/sign-in/sign-in.worker.ts';
import { newAccount, OPERATOR, startSetting, type Setting, type WholeAnswer, type Who } from './setting.ts';
import { anybody, form, PASSWORD, sha256, somewhere, soon, tokenOf, UserCalls } from './user-calls.ts';

let setting: Setting;
let users: UserCalls;
let ana: Who;
let ben: Who;

const database = () => setting.app.get(Database).pool;
/** As after more failures: the next costs minutes, which do not pass while a slow machine hashes. */
const longWaits = (failures: number) =>
  database().query('UPDATE sign_in_attempt SET failures = failures + 8 WHERE failures = $1', [failures]);
const invite: UserCalls['invite'] = (...call) => users.invite(...call);
const accept: UserCalls['accept'] = (...call) => users.accept(...call);
const signIn: UserCalls['signIn'] = (...call) => users.signIn(...call);
const newUser: UserCalls['newUser'] = (...call) => users.newUser(...call);
const sessionsOf = (account: string) => users.sessionsOf(account);
const signedIn = (email: string, account = ana.account) => users.signedIn(email, account);

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { OPERATOR_SECOND_FACTOR: 'optional' });
  users = new UserCalls(setting);
  [ana, ben] = [await newAccount(setting), await newAccount(setting)];
});
afterAll(() => setting?.close());

describe('an invitation', () => {
  it('lets one choose a password, once; what names or admits them is in no row in clear', async () => {
    const { body } = await invite(ana, 'Dora.Dev@world.example');
    expect(body['user']).toMatchObject({ email: 'Dora.Dev@world.example', name: 'Ms Secret', state: 'invited' });
    const { token } = body['invitation'];
    expect(token).toMatch(/^[\w-]{43}$/);
    expect((await signIn('dora.dev@world.example')).status).toBe(401);
    expect((await accept(token)).status).toBe(200);
    expect(await accept(token)).toMatchObject({ status: 400, body: { message: expect.stringMatching(/^token: /) } });
    const answer = await signIn('dora.DEV@world.example');
    expect(answer.status).toBe(200);
    const session = tokenOf(answer)!;
    expect(String(answer.headers['set-cookie'])).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
    await soon(() => sessionsOf(ana.account).length === 1);
    expect(sessionsOf(ana.account)[0]).toMatchObject({
      hash: sha256(session),
      scopes: [...ROLES.developer, 'session'],
    });
    const tables = ['account_user', 'user_session', 'sign_in_attempt', 'outbox'];
    const rows = await Promise.all(
      tables.map(async (table) => (await database().query(`SELECT * FROM ${table}`)).rows),
    );
    expect(rows.map(({ length }) => length > 0)).toEqual([true, true, true, expect.any(Boolean)]);
    const kept = JSON.stringify([rows, setting.accounts.get(ana.account)]);
    expect(kept).toContain(sha256(session));
    for (const clear of ['world.example', 'Secret', 'argon2', PASSWORD, token, session, '198.51']) {
      expect(kept).not.toContain(clear);
    }
  });

  it('ends with its time, and with another', async () => {
    const { body } = await invite(ana, 'late@world.example');
    const again = await setting.call(ana, 'POST', `/v1/users/${body['user'].id}/invitation`);
    expect((await accept(body['invitation'].token)).status).toBe(400);
    await database().query(`UPDATE account_user SET invitation_expires_at = now() WHERE id = $1`, [body['user'].id]);
    expect((await accept(again.body['invitation'].token)).status).toBe(400);
  });

  it.each([
    [{ email: 'dora.dev@WORLD.example', role: 'developer' }, 'email: is a user of this account already'],
    [{ email: 'no address', role: 'developer' }, 'email: '],
    [{ email: 'x@world.example', role: 'admin' }, 'role: must be one of owner, developer, analyst, support'],
    [{ email: 'x@world.example', role: 'king' }, 'role: must be one of'],
  ])('with %j is refused', async (fields, message) => {
    const answer = await setting.call(ana, 'POST', '/v1/users', form(fields));
    expect([answer.status, answer.body['message'].slice(0, message.length)]).toEqual([400, message]);
    expect(JSON.stringify(answer.body)).not.toMatch(/dora|no address/);
  });

  it.each([
    ['short', 'password: must have at least 12 characters'],
    ['ä'.repeat(65), 'password: must have at most 128'],
  ])('does not take %s as a password', async (password, message) => {
    const { body } = await accept('x'.repeat(43), password);
    expect(body['message'].slice(0, message.length)).toBe(message);
  });

  it('gives no rights that its maker does not have', async () => {
    const privacy = { ...ana, scopes: [...ROLES.privacy] };
    expect((await invite(ana, 'p@world.example', 'privacy_officer')).status).toBe(403);
    expect((await invite(privacy, 'o@world.example', 'owner')).status).toBe(403);
    const officer = await newUser(privacy, 'p@world.example', 'privacy_officer');
    // Nor does whoever lets somebody in anew, who could be them then.
    for (const [method, path, body] of [
      ['POST', '/invitation', undefined],
      ['PUT', '', form({ role: 'analyst' })],
      ['DELETE', '', undefined],
    ] as const) {
      expect((await setting.call(ana, method, `/v1/users/${officer}${path}`, body)).status).toBe(403);
    }
    const developer = await signedIn('dora.dev@world.example');
    expect(
      (await invite({ ...developer, scopes: [...developer.scopes, 'users:write'] }, 'x@world.example', 'owner')).status,
    ).toBe(403);
    expect((await setting.call(privacy, 'DELETE', `/v1/users/${officer}`)).status).toBe(200);
  });

  it('of another account is as unknown as none', async () => {
    const id = (await setting.call(ana, 'GET', '/v1/users')).body['items'][0].id;
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/invitation'],
      ['DELETE', '/sessions'],
    ] as const) {
      expect((await setting.call(ben, method, `/v1/users/${id}${path}`)).status).toBe(404);
    }
  });
});

describe('a session', () => {
  it('is never one that was brought along, and goes on as another after a change of the password', async () => {
    await newUser(ana, 'fix@world.example');
    const planted = { cookie: `__Host-lethe-session=${'a'.repeat(43)}` };
    const body = form({ email: 'fix@world.example', password: PASSWORD });
    const first = tokenOf(await setting.exchange({ ...anybody(), ...planted }, 'POST', '/v1/sessions', body));
    expect(first).not.toBe('a'.repeat(43));
    const [one, two] = [await signedIn('fix@world.example'), await signedIn('fix@world.example')];
    const change = (current: string) =>
      setting.exchange(
        one,
        'PUT',
        '/v1/users/me/password',
        form({ current_password: current, password: 'another staple' }),
      );
    expect((await change('wrong horse battery')).status).toBe(401);
    const next = tokenOf(await change(PASSWORD))!;
    await soon(() => sessionsOf(ana.account).some(({ hash }) => hash === sha256(next)));
    const living = sessionsOf(ana.account).map(({ hash }) => hash);
    for (const old of [first!, one.token, two.token]) expect(living).not.toContain(sha256(old));
    expect((await signIn('fix@world.example')).status).toBe(401);
    expect((await signIn('fix@world.example', 'another staple')).status).toBe(200);
    // The call of a session that has ended meanwhile comes too late.
    expect((await setting.call(two, 'GET', '/v1/users/me')).status).toBe(401);
  });

  it('is listed and ended by its user alone; the sixth ends the first', async () => {
    await newUser(ana, 'many@world.example');
    await newUser(ana, 'other@world.example');
    const all: (Who & { token: string })[] = [];
    for (let nth = 0; nth < 6; nth += 1) all.push(await signedIn('many@world.example'));
    const [second = ana, third = ana] = all.slice(1);
    const list = async () => (await setting.call(third, 'GET', '/v1/sessions')).body['items'];
    expect((await list()).map(({ id }: { id: string }) => id)).toEqual(
      all
        .slice(1)
        .map(({ keyId }) => keyId)
        .reverse(),
    );
    expect((await list()).filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
    const stranger = await signedIn('other@world.example');
    expect((await setting.call(stranger, 'DELETE', `/v1/sessions/${second.keyId}`)).status).toBe(404);
    expect((await setting.call(third, 'DELETE', `/v1/sessions/${second.keyId}`)).status).toBe(200);
    await soon(() => sessionsOf(ana.account).every(({ id }) => id !== second.keyId));
    const out = await setting.exchange(third, 'DELETE', '/v1/sessions');
    expect(String(out.headers['set-cookie'])).toMatch(/^__Host-lethe-session=; Max-Age=0;/);
    await soon(() => sessionsOf(ana.account).every(({ id }) => !all.some(({ keyId }) => keyId === id)));
  });

  it('is renewed while it is used, and cleared away when it is over', async () => {
    await newUser(ana, 'idle@world.example');
    const user = await signedIn('idle@world.example');
    await database().query(`UPDATE user_session SET idle_at = now() + interval '1 second' WHERE id = $1`, [user.keyId]);
    expect((await setting.call(user, 'PUT', '/v1/sessions/current')).status).toBe(200);
    const { rows } = await database().query('SELECT idle_at FROM user_session WHERE id = $1', [user.keyId]);
    expect(rows[0].idle_at.getTime()).toBeGreaterThan(Date.now() + 3_600_000);
    await database().query('UPDATE user_session SET idle_at = now() WHERE id = $1', [user.keyId]);
    await setting.app.get(SignInWorker).clear();
    expect((await setting.call(user, 'GET', '/v1/users/me')).status).toBe(401);
  });

  it('ends with another role, with an invitation anew, with its user, and with whoever is erased', async () => {
    const ends = async (email: string, end: (id: string) => Promise<unknown>) => {
      const id = await newUser(ana, email);
      const { keyId } = await signedIn(email);
      await end(id);
      await soon(() => sessionsOf(ana.account).every((session) => session.id !== keyId));
    };
    await ends('role@world.example', (id) => setting.call(ana, 'PUT', `/v1/users/${id}`, form({ role: 'analyst' })));
    const lowered = await signedIn('role@world.example');
    expect(lowered.scopes).not.toContain('messages:write');
    await ends('anew@world.example', (id) => setting.call(ana, 'POST', `/v1/users/${id}/invitation`));
    expect((await signIn('anew@world.example')).status).toBe(401);
    await ends('gone@world.example', (id) => setting.call(ana, 'DELETE', `/v1/users/${id}`));
    expect((await signIn('gone@world.example')).status).toBe(401);
    await ends('out@world.example', (id) => setting.call(ana, 'DELETE', `/v1/users/${id}/sessions`));
    await ends('erased@world.example', async (id) => {
      const { rows } = await database().query('SELECT subject_id FROM account_user WHERE id = $1', [id]);
      const subjects = new Set([rows[0].subject_id as string]);
      const scope = {
        requestId: randomUUID(),
        accountId: ana.account,
        subjects,
        cutOff: Date.now(),
        doNotContact: 'default',
      } as const;
      expect(await setting.app.get(PersonalDataHolder).erase(scope)).toMatchObject({ removed: { user: 1 } });
    });
  });
});

describe('signing in', () => {
  it('costs nothing five times, then a second, and twice as long each time', async () => {
    await newUser(ana, 'slow@world.example');
    await database().query('DELETE FROM sign_in_attempt');
    const waits: number[] = [];
    for (let nth = 0; nth < 8; nth += 1) {
      expect((await signIn('slow@world.example', 'wrong horse battery')).status).toBe(401);
      const { rows } = await database().query(
        'SELECT greatest(0, max(extract(epoch FROM until - at)))::int AS wait FROM sign_in_attempt',
      );
      waits.push(rows[0].wait);
      await database().query('UPDATE sign_in_attempt SET until = at');
    }
    expect(waits).toEqual([0, 0, 0, 0, 0, 1, 2, 4]);
  });

  it('is slowed down, for who is no user as for who is one, and for nobody else', async () => {
    await newUser(ana, 'held-up@world.example');
    const tries = async (email: string) => {
      const answers: WholeAnswer[] = [];
      for (let nth = 0; nth < 7; nth += 1) {
        if (nth === 5) await longWaits(5);
        answers.push(await signIn(email, 'wrong horse battery'));
      }
      return answers.map(({ status, body, headers }) => [status, body['message'], Number(headers['retry-after']) > 60]);
    };
    const known = await tries('held-up@world.example');
    expect(known.map(([status]) => status)).toEqual([401, 401, 401, 401, 401, 401, 429]);
    expect(known.at(-1)).toEqual([429, 'too many failed sign-ins: try again later', true]);
    expect(await tries('nobody@world.example')).toEqual(known);
    expect((await signIn('held-up@world.example')).status).toBe(429);
    expect((await signIn('dora.dev@world.example')).status).toBe(200);
  });

  it('is slowed down for a network that tries many, before it hurts them', async () => {
    const from = somewhere();
    for (let nth = 0; nth <= 20; nth += 1) {
      if (nth === 20) await longWaits(20);
      expect((await signIn(`n${nth}@world.example`, PASSWORD, from)).status).toBe(401);
    }
    const before = await database().query('SELECT count(*) FROM sign_in_attempt');
    expect((await signIn('dora.dev@world.example', PASSWORD, from)).status).toBe(429);
    expect((await database().query('SELECT count(*) FROM sign_in_attempt')).rows).toEqual(before.rows);
  });

  it('counts attempts at once as those one after the other', async () => {
    await newUser(ana, 'flood@world.example');
    for (let nth = 0; nth < 5; nth += 1) await signIn('flood@world.example', 'wrong horse');
    await longWaits(5);
    const answers = await Promise.all(Array.from({ length: 30 }, () => signIn('flood@world.example', 'wrong horse')));
    const refused = answers.filter(({ status }) => status === 429).length;
    expect([refused, answers.filter(({ status }) => status === 401).length]).toEqual([29, 1]);
  });

  it('nobody elsewhere keeps out who signed in from here, nor anybody for longer than a quarter of an hour', async () => {
    await newUser(ana, 'held@world.example');
    const home = somewhere();
    expect((await signIn('held@world.example', PASSWORD, home)).status).toBe(200);
    for (let nth = 0; nth < 6; nth += 1) await signIn('held@world.example', 'wrong horse battery');
    await database().query(`UPDATE sign_in_attempt SET failures = 900, until = now() WHERE failures >= 6`);
    await signIn('held@world.example', 'wrong horse battery');
    const held = await signIn('held@world.example');
    expect(held.status).toBe(429);
    expect(Number(held.headers['retry-after'])).toBeLessThanOrEqual(900);
    expect((await signIn('held@world.example', PASSWORD, home)).status).toBe(200);
    await database().query(`UPDATE sign_in_attempt SET at = now() - interval '24 hours'`);
    await setting.app.get(SignInWorker).clear();
    expect((await database().query('SELECT FROM sign_in_attempt')).rowCount).toBe(0);
  });

  it('is forgiven nothing for a user of the same address in another account, who may be the one who guesses', async () => {
    await newUser(ana, 'twice@world.example');
    await newUser(ben, 'twice@world.example');
    const from = somewhere();
    const guess = async (account: string) =>
      (await signIn('twice@world.example', 'wrong horse battery', somewhere(), { account })).status;
    for (let nth = 0; nth < 5; nth += 1) expect(await guess(ana.account)).toBe(401);
    expect((await signIn('twice@world.example', PASSWORD, from, { account: ben.account })).status).toBe(200);
    await longWaits(5);
    expect(await guess(ana.account)).toBe(401);
    expect([await guess(ana.account), await guess(ana.account.toUpperCase())]).toEqual([429, 429]);
  });

  it('says of which account where somebody is a user of several', async () => {
    await newUser(ana, 'both@world.example');
    await newUser(ben, 'both@world.example');
    const of = async (more: Record<string, string>) => {
      const token = tokenOf(await signIn('both@world.example', PASSWORD, somewhere(), more))!;
      const has = ({ account }: Who) => sessionsOf(account).some(({ hash }) => hash === sha256(token));
      await soon(() => has(ana) || has(ben));
      return has(ana) ? 'ana' : 'ben';
    };
    expect(await of({})).toBe('ana');
    expect(await of({ account: ben.account })).toBe('ben');
    expect((await signIn('both@world.example', PASSWORD, somewhere(), { account: randomUUID() })).status).toBe(401);
  });
});

describe('whoever runs the platform', () => {
  it('has users of its own, who see to accounts and to nothing in them', async () => {
    await newUser(OPERATOR, 'staff@lethe.example', 'support_staff');
    await newUser(OPERATOR, 'root@lethe.example', 'admin');
    expect((await invite(OPERATOR, 'x@lethe.example', 'owner')).status).toBe(400);
    const staff = await signedIn('staff@lethe.example', PLATFORM_ACCOUNT);
    const root = await signedIn('root@lethe.example', PLATFORM_ACCOUNT);
    expect([staff.scopes, root.scopes.filter((scope) => /messages|events|privacy/.test(scope))]).toEqual([
      ['operator:read', 'session'],
      [],
    ]);
    expect((await setting.call(staff, 'GET', `/v1/accounts/${ana.account}`)).status).toBe(200);
    expect((await setting.call(staff, 'PUT', `/v1/accounts/${ana.account}`, form({ state: 'suspended' }))).status).toBe(
      403,
    );
    expect((await setting.call(root, 'POST', '/v1/accounts')).status).toBe(200);
    expect((await setting.call(staff, 'GET', '/v1/users/me')).body['user']).toMatchObject({ role: 'support_staff' });
  });

  it('is no account among others', async () => {
    const { items } = (await setting.call(OPERATOR, 'GET', '/v1/accounts?limit=1000')).body;
    expect(items.map(({ id }: { id: string }) => id)).not.toContain(PLATFORM_ACCOUNT);
    expect((await setting.call(OPERATOR, 'DELETE', `/v1/accounts/${PLATFORM_ACCOUNT}`)).status).toBe(404);
    expect(
      (await setting.call(OPERATOR, 'PUT', `/v1/accounts/${PLATFORM_ACCOUNT}`, form({ state: 'suspended' }))).status,
    ).toBe(404);
  });
});
