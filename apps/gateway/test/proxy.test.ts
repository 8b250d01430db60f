import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { basic, echo, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

const MiB = 1_048_576;
let setting: Setting;
let authorization: string;

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { SERVICE_ANSWER_MS: '2000' });
  await whenOpen(setting.gateway);
  const operator = { authorization: `Bearer ${setting.operatorToken}` };
  const made = await fetch(`${setting.gateway}/v1/accounts`, { method: 'POST', headers: operator });
  authorization = basic((await made.json()).api_key);
  const body = new URLSearchParams({ name: 'proxy.example' });
  const domain = async () =>
    (await fetch(`${setting.gateway}/v4/domains`, { method: 'POST', headers: { authorization }, body })).status;
  await until(async () => (await domain()) === 200, 10_000);
  const known = await until(async () => (await send()).status === 200, 10_000);
  if (!known) throw new Error('the domain is not known');
});
afterAll(() => setting?.close());
beforeEach(() => {
  setting.service.answer = echo;
  setting.service.seen.length = 0;
});

const send = (init: RequestInit = {}): Promise<Response> =>
  fetch(`${setting.gateway}/v3/proxy.example/messages`, {
    method: 'POST',
    body: 'a',
    ...init,
    headers: { authorization, ...(init.headers as Record<string, string>) },
  });

function open(headers: Record<string, string | number>, agent?: Agent): ClientRequest {
  const url = `${setting.gateway}/v3/proxy.example/messages.mime`;
  return httpRequest(url, { method: 'POST', headers: { authorization, ...headers }, ...(agent ? { agent } : {}) });
}

/** Writes with backpressure; answers how many bytes went out so far. */
function pour(client: ClientRequest, size: number): () => number {
  const chunk = Buffer.alloc(65_536, 'x');
  let written = 0;
  void (async () => {
    for (; written < size; written += chunk.length) if (!client.write(chunk)) await once(client, 'drain');
    client.end();
  })();
  return () => written;
}

describe('the way through', () => {
  it('streams 25 MiB without holding them, however slowly the service reads', async () => {
    const size = 25 * MiB;
    let read: () => void = () => undefined;
    setting.service.answer = (request, response) => (read = () => echo(request, response));
    const before = process.memoryUsage().arrayBuffers;
    const client = open({ 'content-length': size });
    const written = pour(client, size);
    let last = -1;
    const stalled = () => setting.service.seen.length > 0 && last === (last = written());
    expect(await until(stalled, 10_000, 300)).toBe(true);
    expect(written()).toBeLessThan(size);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MiB);
    read();
    const [answer] = (await once(client, 'response')) as [IncomingMessage];
    expect(JSON.parse(await text(answer))).toEqual({ bytes: size });
  });

  it('takes a body of unknown length', async () => {
    const client = open({});
    pour(client, MiB);
    const [answer] = (await once(client, 'response')) as [IncomingMessage];
    expect(JSON.parse(await text(answer))).toEqual({ bytes: MiB });
  });

  it('refuses what is declared too large before it comes, and the service never hears of it', async () => {
    const response = await send({ body: Buffer.alloc(28 * MiB) });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ message: 'The request is too large' });
    expect(setting.service.seen).toEqual([]);
  });

  it("shows a service's early answer to a client that is still sending", async () => {
    setting.service.answer = (_, response) => response.writeHead(400).end('{"message":"no"}');
    const response = await send({ body: Buffer.alloc(20 * MiB) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: 'no' });
  });

  it('tells the service when the client leaves', async () => {
    let left = false;
    setting.service.answer = (request, response) => {
      request.resume();
      response.on('close', () => (left = true));
    };
    const leave = new AbortController();
    const response = send({ signal: leave.signal });
    expect(await until(() => setting.service.seen.length === 1, 2_000)).toBe(true);
    leave.abort();
    await expect(response).rejects.toThrow(/abort/i);
    expect(await until(() => left, 1_000, 10)).toBe(true);
  });
});

describe('when a service fails', () => {
  const expectAway = async (response: Response): Promise<void> => {
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(typeof (await response.json()).message).toBe('string');
  };

  it('away: 503 with Retry-After, also for a body under way; works again when it is back', async () => {
    await setting.service.stop();
    await expectAway(await send());
    await expectAway(await send({ body: Buffer.alloc(5 * MiB) }));
    expect(await until(async () => (await fetch(`${setting.gateway}/health`)).status === 503, 5_000)).toBe(true);
    expect((await (await fetch(`${setting.gateway}/health`)).json()).missing).toEqual(['ingest']);
    await setting.service.start();
    expect((await send()).status).toBe(200);
  });

  it('away: the connection of the client lives on, whatever it was still sending', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports: (number | undefined)[] = [];
    const post = async (size: number): Promise<number | undefined> => {
      const client = open({ 'content-length': size }, agent);
      client.once('socket', ({ localPort }) => ports.push(localPort));
      client.end(Buffer.alloc(size));
      const [answer] = (await once(client, 'response')) as [IncomingMessage];
      await text(answer);
      return answer.statusCode;
    };
    expect(await post(1)).toBe(200);
    await setting.service.stop();
    expect(await post(5 * MiB)).toBe(503);
    await setting.service.start();
    expect(await post(1)).toBe(200);
    expect(new Set(ports).size).toBe(1);
    agent.destroy();
  });

  it('breaks off before an answer: 503, sent once only', async () => {
    setting.service.answer = (request) => request.socket.destroy();
    await expectAway(await send());
    expect(setting.service.seen).toHaveLength(1);
  });

  it('silent: 503', async () => {
    setting.service.answer = () => undefined;
    await expectAway(await send());
  });

  it('breaks off within its answer: so does the gateway', async () => {
    setting.service.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(() => response.destroy(), 20);
    };
    const response = await send();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});
