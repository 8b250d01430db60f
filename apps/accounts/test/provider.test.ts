import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { OpenIdProvider } from '@lethe/testing';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SignInWorker } from '../src/sign-in/sign-in.worker.ts';
import { newAccount, OPERATOR, startSetting, type Setting, type WholeAnswer, type Who } from './setting.ts';
import { anybody, form, PASSWORD, soon, tokenOf, UserCalls } from './user-calls.ts';

/** Where it leads browsers back. */
const REDIRECT_URI = 'http://gateway.example/sign-in';
let provider: OpenIdProvider;
let folder: string;
let setting: Setting;
let users: UserCalls;
let ana: Who;
let ben: Who;

interface Begun {
  url: string;
  flow: string;
}

const database = () => setting.app.get(Database).pool;
const post = (path: string, fields: Record<string, string>, who = anybody()) =>
  setting.exchange(who, 'POST', path, form(fields));
const begun = async (answer: Promise<WholeAnswer>): Promise<Begun> => {
  const { status, body } = await answer;
  expect([status, body['message']]).toEqual([200, 'Sign in at the provider']);
  return body as unknown as Begun;
};
const begin = (fields: Record<string, string> = {}) => begun(post('/v1/sessions/provider', fields));
const beginInvited = (token: string) => begun(post('/v1/users/invitation/provider', { token }));
const beginLinking = (who: Who, password = PASSWORD) =>
  post('/v1/users/me/provider', { current_password: password }, who);
const answer = (flow: string, query: string) => post('/v1/sessions/provider/answer', { flow, query });
/** All of it, as this person at the provider. */
const through = async ({ url, flow }: Begun, subject: string) => answer(flow, await provider.signIn(url, subject));
const said = ({ status, body }: WholeAnswer) => [status, body['message']];

/** Somebody who chose no password: invited, and linked with that person. */
async function linked(who: Who, email: string, subject: string, role = 'developer') {
  const { user, invitation } = (await users.invite(who, email, role)).body;
  const session = await users.begun(await through(await beginInvited(invitation.token), subject), who.account);
  return { id: user.id as string, session };
}

const NOT_LINKED = 'No user is linked with whoever signed in there: link one with an invitation, or while signed in';
const UNPROVEN = 'The provider did not confirm who signed in: begin anew';
const FLOW_ENDED = 'flow: was not begun here, or was answered already, or has expired';

beforeAll(async () => {
  provider = await new OpenIdProvider().start();
  provider.serve(REDIRECT_URI);
  folder = mkdtempSync(join(tmpdir(), 'lethe-provider-'));
  writeFileSync(join(folder, 'secret'), `${provider.client.secret}\n`);
  setting = await startSetting(inject('stores'), {
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: provider.client.id,
    OIDC_CLIENT_SECRET_FILE: join(folder, 'secret'),
  });
  users = new UserCalls(setting);
  [ana, ben] = [await newAccount(setting), await newAccount(setting)];
});
afterAll(async () => {
  await setting?.close();
  await provider?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('signing in at the provider', () => {
  it('is for who was linked with an invitation, and needs no password', async () => {
    const { id } = await linked(ana, 'dora@world.example', 'dora-at-provider');
    const { body } = await setting.call(ana, 'GET', `/v1/users/${id}`);
    expect(body['user']).toMatchObject({ state: 'active', provider: true });
    const { url, flow } = await begin();
    const asked = new URL(url);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      client_id: provider.client.id,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(url).not.toContain(flow);
    const session = await users.begun(await answer(flow, await provider.signIn(url, 'dora-at-provider')), ana.account);
    expect(session.scopes).toContain('messages:write');
    const rows = await database().query('SELECT * FROM account_user');
    expect(JSON.stringify([rows.rows, setting.accounts.get(ana.account)])).not.toMatch(/dora-at-provider|127\.0\.0\.1/);
  });

  it('is for nobody whose address the provider claims', async () => {
    await users.newUser(ana, 'victim@world.example', 'owner');
    expect(said(await through(await begin(), 'a-stranger'))).toEqual([403, NOT_LINKED]);
    expect(said(await through(await begin({ account: ana.account }), 'a-stranger'))).toEqual([403, NOT_LINKED]);
  });

  it('leads to the account that was asked for, of several', async () => {
    await linked(ana, 'both@world.example', 'both');
    const { session } = await linked(ben, 'both@world.example', 'both');
    expect(users.sessionsOf(ben.account).map(({ id }) => id)).toContain(session.keyId);
    await users.begun(await through(await begin(), 'both'), ana.account);
    await users.begun(await through(await begin({ account: ben.account }), 'both'), ben.account);
    expect(said(await through(await begin({ account: randomUUID() }), 'both'))).toEqual([403, NOT_LINKED]);
  });

  it('takes an answer once, for what was begun, and from nobody else', async () => {
    await linked(ana, 'once@world.example', 'once');
    const first = await begin();
    const query = await provider.signIn(first.url, 'once');
    // Somebody else's page brings this answer: their flow, not the one it belongs to.
    const other = await begin();
    expect(said(await answer(other.flow, query))).toEqual([401, UNPROVEN]);
    expect(said(await answer(other.flow, query))).toEqual([400, FLOW_ENDED]);
    const forged = await begin();
    expect(said(await answer(forged.flow, 'code=forged&state=forged'))).toEqual([401, UNPROVEN]);
    const denied = await begin();
    const state = new URL(denied.url).searchParams.get('state') ?? '';
    expect(said(await answer(denied.flow, `error=access_denied&state=${state}`))).toEqual([401, UNPROVEN]);
    expect((await answer(first.flow, query)).status).toBe(200);
    expect(said(await answer(first.flow, query))).toEqual([400, FLOW_ENDED]);
    expect(said(await answer('a'.repeat(43), query))).toEqual([400, FLOW_ENDED]);
  });

  it('takes no answer that comes too late', async () => {
    await linked(ana, 'late@world.example', 'late');
    const late = await begin();
    const query = await provider.signIn(late.url, 'late');
    await database().query(`UPDATE provider_flow SET begun_at = now() - interval '11 minutes'`);
    expect(said(await answer(late.flow, query))).toEqual([400, FLOW_ENDED]);
    await begin();
    await database().query(`UPDATE provider_flow SET begun_at = now() - interval '11 minutes'`);
    await setting.app.get(SignInWorker).clear();
    expect((await database().query('SELECT FROM provider_flow')).rowCount).toBe(0);
  });

  it('is not for who has no user any more, or is invited anew', async () => {
    const { id } = await linked(ana, 'gone@world.example', 'gone');
    const anew = await setting.call(ana, 'POST', `/v1/users/${id}/invitation`);
    expect(anew.body['user']).toMatchObject({ state: 'invited', provider: false });
    expect(said(await through(await begin(), 'gone'))).toEqual([403, NOT_LINKED]);
    const { url, flow } = await beginInvited(anew.body['invitation'].token);
    expect((await users.accept(anew.body['invitation'].token)).status).toBe(200);
    // Used meanwhile, the invitation links nobody.
    expect((await answer(flow, await provider.signIn(url, 'gone'))).status).toBe(400);
    expect((await setting.call(ana, 'DELETE', `/v1/users/${id}`)).status).toBe(200);
  });
});

describe('a user who is signed in', () => {
  it('is linked with the password again, and all their sessions end but the new one', async () => {
    await users.newUser(ana, 'link@world.example');
    const session = await users.signedIn('link@world.example', ana.account);
    expect((await beginLinking(session, 'wrong horse battery')).status).toBe(401);
    const begunFlow = await begun(beginLinking(session));
    const next = await users.begun(await through(begunFlow, 'link'), ana.account);
    await soon(() => users.sessionsOf(ana.account).every(({ id }) => id !== session.keyId));
    await users.begun(await through(await begin(), 'link'), ana.account);
    const out = await setting.call(next, 'DELETE', '/v1/users/me/provider');
    expect(out.status).toBe(200);
    expect(said(await through(await begin(), 'link'))).toEqual([403, NOT_LINKED]);
    expect((await users.signIn('link@world.example')).status).toBe(200);
  });

  it('shows a code for it where signing in takes one', async () => {
    await users.newUser(ana, 'coded@world.example');
    const first = await users.signedIn('coded@world.example', ana.account);
    const totp = (fields: Record<string, string>, method: 'POST' | 'PUT') =>
      setting.exchange(first, method, '/v1/users/me/totp', form(fields));
    const { secret } = (await totp({ current_password: PASSWORD }, 'POST')).body['totp'];
    const code = () => new TOTP({ secret }).generate();
    const session = await users.begun(await totp({ code: code() }, 'PUT'), ana.account);
    await database().query('UPDATE account_user SET totp_step = 1 WHERE totp_step IS NOT NULL');
    expect(said(await beginLinking(session))).toEqual([
      401,
      'code: is missing: the one your authenticator shows, or a recovery code',
    ]);
    const fields = { current_password: PASSWORD, code: code() };
    await users.begun(await through(await begun(post('/v1/users/me/provider', fields, session)), 'coded'), ana.account);
  });

  it('links nobody once the session has ended, nor whom another user is linked with', async () => {
    await users.newUser(ana, 'ended@world.example');
    const session = await users.signedIn('ended@world.example', ana.account);
    const { url, flow } = await begun(beginLinking(session));
    await setting.call(session, 'DELETE', '/v1/sessions');
    expect((await answer(flow, await provider.signIn(url, 'ended'))).status).toBe(400);
    await linked(ana, 'taken@world.example', 'taken');
    const again = await users.signedIn('ended@world.example', ana.account);
    expect(said(await through(await begun(beginLinking(again)), 'taken'))).toEqual([
      400,
      'Whoever signed in there is linked with a user of this account already',
    ]);
  });

  it('keeps the provider where there is no password', async () => {
    const { session } = await linked(ana, 'only@world.example', 'only');
    const out = await setting.call(session, 'DELETE', '/v1/users/me/provider');
    expect([out.status, out.body['message']]).toEqual([
      400,
      'There is no password to sign in with instead: whoever invited lets choose one',
    ]);
  });
});

describe('whoever runs the platform', () => {
  it('needs no second factor here beside the provider’s', async () => {
    const { session } = await linked(OPERATOR, 'root@lethe.example', 'root', 'admin');
    expect(session.scopes).toContain('operator');
    const again = await through(await begin({ account: PLATFORM_ACCOUNT }), 'root');
    expect((await users.begun(again, PLATFORM_ACCOUNT)).scopes).toContain('operator');
  });
});

describe('a provider that is away', () => {
  it('is a 503, and asked again', async () => {
    const away = await startSetting(inject('stores'), {
      OIDC_ISSUER: 'http://127.0.0.1:1',
      OIDC_CLIENT_ID: provider.client.id,
      OIDC_CLIENT_SECRET_FILE: join(folder, 'secret'),
    });
    try {
      for (let times = 0; times < 2; times += 1) {
        const refused = await away.exchange(anybody(), 'POST', '/v1/sessions/provider', form({}));
        expect([refused.status, tokenOf(refused)]).toEqual([503, undefined]);
      }
    } finally {
      await away.close();
    }
  });
});
