import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAccount, OPERATOR, startSetting, type Setting, type WholeAnswer, type Who } from './setting.ts';
import { form, PASSWORD, sha256, somewhere, soon, tokenOf, UserCalls } from './user-calls.ts';

const PATH = '/v1/users/me/totp';
let setting: Setting;
let users: UserCalls;
let ana: Who;

const database = () => setting.app.get(Database).pool;
/** What the authenticator shows; `steps` of thirty seconds from now. */
const shown = (secret: string, steps = 0) => new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 });
/** As if the last code that was shown were long past: tests do not wait for the next. */
const forgetStep = () => database().query('UPDATE account_user SET totp_step = 1 WHERE totp_step IS NOT NULL');
const begin = (who: Who, password = PASSWORD) => setting.call(who, 'POST', PATH, form({ current_password: password }));
const confirm = (who: Who, code: string) => setting.exchange(who, 'PUT', PATH, form({ code }));
const remove = (who: Who, code: string, password = PASSWORD) =>
  setting.call(who, 'POST', `${PATH}/removal`, form({ current_password: password, code }));
const signIn = (email: string, code?: string) =>
  users.signIn(email, PASSWORD, somewhere(), code === undefined ? {} : { code });
const said = ({ status, body }: { status: number; body: Record<string, any> }) => [status, body['message']];

/** Somebody whose authenticator is in force. */
async function withFactor(who: Who, email: string, role = 'developer') {
  await users.newUser(who, email, role);
  const first = await users.signedIn(email, who.account);
  const { secret } = (await begin(first)).body['totp'];
  const confirmed = await confirm(first, shown(secret));
  expect(confirmed.status).toBe(200);
  const session = await users.begun(confirmed, who.account);
  return { first, session, secret: secret as string, recovery: confirmed.body['recovery_codes'] as string[] };
}

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  users = new UserCalls(setting);
  ana = await newAccount(setting);
});
afterAll(() => setting?.close());

describe('an authenticator', () => {
  it('is in force once a code of it was shown, and sessions without it end', async () => {
    await users.newUser(ana, 'dora@world.example');
    const [one, two] = [
      await users.signedIn('dora@world.example', ana.account),
      await users.signedIn('dora@world.example', ana.account),
    ];
    expect((await confirm(one, '000000')).status).toBe(400);
    expect((await begin(one, 'wrong horse battery')).status).toBe(401);
    const { secret, url } = (await begin(one)).body['totp'];
    expect(url).toBe(
      `otpauth://totp/gateway.example:dora%40world.example?issuer=gateway.example&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
    // Not confirmed, it keeps nobody out.
    expect((await signIn('dora@world.example')).status).toBe(200);
    expect((await confirm(one, shown(secret, 5))).status).toBe(400);
    const confirmed = await confirm(one, shown(secret));
    expect([confirmed.status, confirmed.body['recovery_codes'].length]).toEqual([200, 10]);
    const next = await users.begun(confirmed, ana.account);
    await soon(() => users.sessionsOf(ana.account).every(({ id }) => id !== one.keyId && id !== two.keyId));
    expect((await setting.call(next, 'GET', '/v1/users/me')).body['user']).toMatchObject({ second_factor: true });
    expect(said(await begin(next))).toEqual([400, 'There is an authenticator already: remove it first']);
    expect(said(await signIn('dora@world.example'))).toEqual([
      401,
      'code: is missing: the one your authenticator shows, or a recovery code',
    ]);
    await forgetStep();
    expect((await signIn('dora@world.example', shown(secret))).status).toBe(200);
    const rows = (await database().query('SELECT * FROM account_user')).rows;
    const kept = JSON.stringify([rows, setting.accounts.get(ana.account)]);
    for (const clear of [
      secret,
      ...confirmed.body['recovery_codes'],
      ...confirmed.body['recovery_codes'].map(sha256),
    ]) {
      expect(kept).not.toContain(clear);
    }
  });

  it('is the own one, whichever subaccount a call is made for', async () => {
    await users.newUser(ana, 'parent@world.example');
    const first = await users.signedIn('parent@world.example', ana.account);
    const forChild = { ...first, account: (await newAccount(setting)).account };
    const { secret } = (await begin(forChild)).body['totp'];
    await users.begun(await confirm(forChild, shown(secret)), ana.account);
    expect(users.sessionsOf(ana.account).map(({ id }) => id)).not.toContain(first.keyId);
  });

  it('admits with each code once, at once too, and with none that is older', async () => {
    const { secret } = await withFactor(ana, 'once@world.example');
    await forgetStep();
    const code = shown(secret);
    const both = await Promise.all([signIn('once@world.example', code), signIn('once@world.example', code)]);
    const outcomes = both.map(said);
    expect(outcomes).toContainEqual([200, 'Signed in']);
    expect(outcomes).toContainEqual([401, 'code: was used already: wait for the next']);
    const { rows } = await database().query('SELECT totp_step FROM account_user ORDER BY totp_step DESC NULLS LAST');
    const used = new TOTP({ secret }).generate({ timestamp: (rows[0].totp_step - 1) * 30_000 });
    expect((await signIn('once@world.example', used)).status).toBe(401);
  });

  it('is not guessed: wrong codes are counted as wrong passwords', async () => {
    const { secret } = await withFactor(ana, 'guess@world.example');
    const wrong = shown(secret, 1_000);
    const statuses: number[] = [];
    for (let nth = 0; nth < 5; nth += 1) statuses.push((await signIn('guess@world.example', wrong)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    await database().query('UPDATE sign_in_attempt SET failures = 13 WHERE failures = 5');
    expect(said(await signIn('guess@world.example', wrong))).toEqual([401, 'code: is wrong']);
    await forgetStep();
    expect((await signIn('guess@world.example', shown(secret))).status).toBe(429);
  });

  it('is replaced by a recovery code, each of which admits once', async () => {
    const { secret, recovery } = await withFactor(ana, 'lost@world.example');
    const [first = '', second = ''] = recovery;
    expect((await signIn('lost@world.example', first)).status).toBe(200);
    expect((await signIn('lost@world.example', first)).status).toBe(401);
    expect((await signIn('lost@world.example', second.toUpperCase().replaceAll('-', ' '))).status).toBe(200);
    await forgetStep();
    expect((await signIn('lost@world.example', shown(secret))).status).toBe(200);
  });

  it('lasts through another password, and ends with it and a code, or an invitation anew', async () => {
    const { session, secret } = await withFactor(ana, 'change@world.example');
    const another = form({ current_password: PASSWORD, password: 'another staple' });
    const changed = await setting.exchange(session, 'PUT', '/v1/users/me/password', another);
    const next = await users.begun(changed, ana.account);
    expect((await users.signIn('change@world.example', 'another staple')).body['message']).toMatch(/^code: /);
    await forgetStep();
    expect((await remove(next, shown(secret), PASSWORD)).status).toBe(401);
    expect((await remove(next, shown(secret, 1_000), 'another staple')).status).toBe(401);
    expect((await remove(next, shown(secret), 'another staple')).status).toBe(200);
    expect((await users.signIn('change@world.example', 'another staple')).status).toBe(200);

    await withFactor(ana, 'anew@world.example');
    const { rows } = await database().query('SELECT id FROM account_user ORDER BY id DESC LIMIT 1');
    const anew = await setting.call(ana, 'POST', `/v1/users/${rows[0].id}/invitation`);
    expect(anew.body['user']).toMatchObject({ state: 'invited', second_factor: false });
    await users.accept(anew.body['invitation'].token);
    expect((await signIn('anew@world.example')).status).toBe(200);
  });
});

describe('whoever runs the platform', () => {
  it('can do nothing without a second factor but set it up, and keeps it', async () => {
    await users.newUser(OPERATOR, 'root@lethe.example', 'admin');
    const answer: WholeAnswer = await signIn('root@lethe.example');
    expect(said(answer)).toEqual([200, 'Signed in, to set up a second factor and nothing else']);
    const limited = await users.begun(answer, PLATFORM_ACCOUNT);
    expect(limited.scopes).toEqual(['session']);
    expect((await setting.call(limited, 'GET', '/v1/users/me')).body['user']).toMatchObject({ scopes: ['session'] });
    const { secret } = (await begin(limited)).body['totp'];
    const confirmed = await confirm(limited, shown(secret));
    const root = await users.begun(confirmed, PLATFORM_ACCOUNT);
    expect(root.scopes).toEqual(['operator', 'operator:read', 'users:read', 'users:write', 'session']);
    await forgetStep();
    expect(said(await remove(root, shown(secret)))).toEqual([
      403,
      'Whoever runs the platform has to have a second factor',
    ]);
    const again = await signIn('root@lethe.example', shown(secret));
    expect([...said(again), tokenOf(again) !== undefined]).toEqual([200, 'Signed in', true]);
  });
});
