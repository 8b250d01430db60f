import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { basic, echo, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

const STALL_MS = 1_000;
const LIMITS = { SERVICE_CONNECTIONS: '4', ACCOUNT_CONNECTIONS: '3', ACCOUNT_IN_FLIGHT: '5' };
let setting: Setting;
let slow: string;
let other: string;

async function customer(domain: string): Promise<string> {
  const operator = { authorization: `Bearer ${setting.operatorToken}` };
  const made = await fetch(`${setting.gateway}/v1/accounts`, { method: 'POST', headers: operator });
  const authorization = basic((await made.json()).api_key);
  const body = new URLSearchParams({ name: domain });
  const add = async () =>
    (await fetch(`${setting.gateway}/v4/domains`, { method: 'POST', headers: { authorization }, body })).status === 200;
  expect(await until(add, 10_000)).toBe(true);
  expect(await until(async () => (await send(authorization, domain)).status === 200, 10_000)).toBe(true);
  return authorization;
}

const url = (domain: string): string => `${setting.gateway}/v3/${domain}/messages.mime`;
const send = (authorization: string, domain: string): Promise<Response> =>
  fetch(url(domain), { method: 'POST', headers: { authorization }, body: 'a' });

/** Announces more than it sends. */
function halfAnUpload(): ClientRequest {
  const client = httpRequest(url('slow.example'), {
    method: 'POST',
    headers: { authorization: slow, 'content-length': 100_000 },
  });
  client.write('x');
  return client;
}

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { ...LIMITS, CLIENT_STALL_MS: String(STALL_MS) });
  await whenOpen(setting.gateway);
  [slow, other] = [await customer('slow.example'), await customer('other.example')];
});
afterAll(() => setting?.close());
beforeEach(() => {
  setting.service.answer = echo;
  setting.service.seen.length = 0;
});

describe('a client that stands still', () => {
  it('holds no connections that others need, and is cut off', async () => {
    const uploads = Array.from({ length: 3 }, halfAnUpload);
    const answers = uploads.map((client) => once(client, 'response') as Promise<[IncomingMessage]>);
    expect(await until(() => setting.service.seen.length === 3, 5_000, 10)).toBe(true);
    const waiting = [send(slow, 'slow.example'), send(slow, 'slow.example')];
    const refused = await until(
      async () => {
        const response = await send(slow, 'slow.example');
        return response.status === 429 && Number(response.headers.get('retry-after')) > 0;
      },
      STALL_MS / 2,
      10,
    );
    expect(refused).toBe(true);
    expect((await send(other, 'other.example')).status).toBe(200);
    for (const answer of answers) {
      const [response] = await answer;
      expect([response.statusCode, await json(response)]).toEqual([408, { message: 'The request took too long' }]);
    }
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('reaches nobody where it needs no key, until its body is there', async () => {
    const path = `${setting.gateway}/unsubscribe/link`;
    const client = httpRequest(path, { method: 'POST', headers: { 'content-length': 100 } });
    client.write('x');
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    expect([response.statusCode, await json(response)]).toEqual([408, { message: 'The request took too long' }]);
    expect((await fetch(path, { method: 'POST', body: 'a'.repeat(32_769) })).status).toBe(413);
    expect(setting.service.seen).toEqual([]);
    const body = gzipSync('List-Unsubscribe=One-Click');
    for (const [sent, headers] of [
      ['List-Unsubscribe=One-Click', {}],
      [body, { 'content-encoding': 'gzip' }],
    ] as const) {
      expect(await (await fetch(path, { method: 'POST', body: sent, headers })).json()).toEqual({ bytes: 26 });
    }
    expect(setting.service.seen.map(({ headers }) => headers['content-length'])).toEqual(['26', '26']);
  });

  it('is cut off too when it takes nothing of its answer', async () => {
    let ended = false;
    setting.service.answer = (request, response) => {
      request.resume();
      response.on('close', () => (ended = true));
      response.writeHead(200, { 'content-length': 2 ** 28 });
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(2 ** 20)));
      };
      response.on('drain', pour);
      pour();
    };
    const client = httpRequest(url('slow.example'), { method: 'POST', headers: { authorization: slow } }).end('a');
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    response.pause();
    const cut = once(response, 'error');
    expect(await until(() => ended, STALL_MS * 10)).toBe(true);
    response.resume();
    await cut;
  });
});

describe('a request that waits for its turn', () => {
  /** Three that hold all of the account's connections, until they are let go. */
  async function held(): Promise<{ first: Promise<Response>[]; release: () => void }> {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    setting.service.answer = (request, response) => void released.then(() => echo(request, response));
    const first = Array.from({ length: 3 }, () => send(slow, 'slow.example'));
    expect(await until(() => setting.service.seen.length === 3, 5_000, 10)).toBe(true);
    return { first, release };
  }

  it('is from who it is from however long it waits', async () => {
    const { first, release } = await held();
    const waiting = send(slow, 'slow.example');
    // Longer than an identity is handed out for, and less than a service may stay silent.
    await after(35_000);
    release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await waiting).status).toBe(200);
    const token = setting.service.seen.at(-1)?.headers.authorization?.split('.')[1] ?? '';
    const { exp } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { exp: number };
    expect(exp * 1_000 - Date.now()).toBeGreaterThan(25_000);
  }, 60_000);

  it('is not let in if its key is revoked meanwhile', async () => {
    const made = await fetch(`${setting.gateway}/v1/keys`, {
      method: 'POST',
      headers: { authorization: slow },
      body: new URLSearchParams({ role: 'sending', kind: 'domain', domain_name: 'slow.example' }),
    });
    const { key } = (await made.json()) as { key: { id: string; secret: string } };
    const mine = basic(key.secret);
    expect(await until(async () => (await send(mine, 'slow.example')).status === 200, 10_000)).toBe(true);
    setting.service.seen.length = 0;
    const { first, release } = await held();
    const waiting = send(mine, 'slow.example');
    await after(200);
    const deleted = await fetch(`${setting.gateway}/v1/keys/${key.id}`, {
      method: 'DELETE',
      headers: { authorization: slow },
    });
    expect(deleted.status).toBe(200);
    await after(1_500);
    release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await waiting).status).toBe(401);
    expect(setting.service.seen).toHaveLength(3);
  });
});

describe('a service that takes its time', () => {
  it('to answer, costs no client its request', async () => {
    setting.service.answer = (request, response) => void after(STALL_MS * 2).then(() => echo(request, response));
    expect((await send(slow, 'slow.example')).status).toBe(200);
  });

  it('to read, costs no client its request', async () => {
    setting.service.answer = (request, response) => void after(STALL_MS * 2).then(() => echo(request, response));
    const body = Buffer.alloc(2 ** 24);
    const response = await fetch(url('slow.example'), { method: 'POST', headers: { authorization: slow }, body });
    expect(await response.json()).toEqual({ bytes: 2 ** 24 });
  });
});
