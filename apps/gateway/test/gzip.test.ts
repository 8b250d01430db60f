import { request as httpRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { deflateSync, gzipSync } from 'node:zlib';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { basic, echo, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

const MiB = 1_048_576;
const MAX = 25 * MiB;
let setting: Setting;
let authorization: string;
/** What reached the service whole. */
let arrived: Buffer | undefined;
let brokenOff = 0;

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { MAX_BODY_BYTES: String(MAX), INFLATE_MAX_RATIO: '200' });
  await whenOpen(setting.gateway);
  const operator = { authorization: `Bearer ${setting.operatorToken}` };
  const made = await fetch(`${setting.gateway}/v1/accounts`, { method: 'POST', headers: operator });
  authorization = basic((await made.json()).api_key);
  const body = new URLSearchParams({ name: 'gzip.example' });
  const known = async () => {
    await fetch(`${setting.gateway}/v4/domains`, { method: 'POST', headers: { authorization }, body });
    return (await send('a', {})).status === 200;
  };
  if (!(await until(known, 10_000))) throw new Error('the domain is not known');
});
afterAll(() => setting?.close());
beforeEach(() => {
  arrived = undefined;
  brokenOff = 0;
  setting.service.seen.length = 0;
  setting.service.answer = (request, response) => {
    buffer(request).then(
      (body) => {
        arrived = body;
        response.end('{}');
      },
      () => (brokenOff += 1),
    );
  };
});

const GZIP = { 'content-encoding': 'gzip', 'content-type': 'application/x-www-form-urlencoded' };
const send = (body: string | Buffer, headers: Record<string, string> = GZIP): Promise<Response> =>
  fetch(`${setting.gateway}/v3/gzip.example/messages`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { authorization, ...headers },
  });

function open(): ClientRequest {
  const url = `${setting.gateway}/v3/gzip.example/messages.mime`;
  return httpRequest(url, { method: 'POST', headers: { authorization, ...GZIP } });
}

/** Hard to compress: the same bytes every time, none like the other. */
function noise(octets: number): Buffer {
  const bytes = Buffer.alloc(octets);
  let state = 1;
  for (let at = 0; at < octets; at += 4)
    bytes.writeUInt32LE((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0), at);
  return bytes;
}

/** Compresses to about a hundredth, evenly. */
function wordy(octets: number): Buffer {
  const piece = Buffer.concat([noise(400), Buffer.alloc(49_600, 'word ')]);
  return Buffer.alloc(octets, piece);
}

describe('a gzipped request', () => {
  it.each([
    ['in one piece', gzipSync('to=bob&text=hello')],
    ['of several members (RFC 1952 §2.2)', Buffer.concat([gzipSync('to=bob&'), gzipSync('text=hello')])],
  ])('%s reaches its service inflated, and as a whole', async (_, body) => {
    for (const coding of ['gzip', 'x-gzip', 'GZIP']) {
      expect((await send(body, { ...GZIP, 'content-encoding': coding })).status).toBe(200);
      expect(arrived?.toString()).toBe('to=bob&text=hello');
      const { headers } = setting.service.seen.at(-1)!;
      expect([headers['content-encoding'], headers['content-length']]).toEqual([undefined, undefined]);
      expect(headers['content-type']).toBe(GZIP['content-type']);
    }
  });

  it('serves every service: accounts takes a compressed form', async () => {
    const body = new Uint8Array(gzipSync('name=other.gzip.example'));
    const made = await fetch(`${setting.gateway}/v4/domains`, {
      method: 'POST',
      headers: { authorization, ...GZIP },
      body,
    });
    expect(made.status).toBe(200);
  });

  it('may inflate to the limit, and to no octet more', async () => {
    const whole = wordy(MAX);
    expect((await send(gzipSync(whole))).status).toBe(200);
    expect(arrived?.equals(whole)).toBe(true);
    const over = await send(gzipSync(Buffer.concat([whole, Buffer.from('x')])));
    expect([over.status, await over.json()]).toEqual([413, { message: 'The request is too large' }]);
    expect(await until(() => brokenOff === 1, 2_000)).toBe(true);
  });

  it('is not taken for a bomb because it is short', async () => {
    const short = Buffer.alloc(MiB, 'a');
    expect((await send(gzipSync(short))).status).toBe(200);
    expect(arrived?.length).toBe(MiB);
  });

  it('is refused where little becomes much, long before it is all there', async () => {
    const bomb = gzipSync(Buffer.alloc(24 * MiB));
    const before = process.memoryUsage().arrayBuffers;
    const response = await send(bomb);
    expect([response.status, await response.json()]).toEqual([
      413,
      { message: 'the body inflates to more than 200 times its size' },
    ]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MiB);
    expect(arrived).toBeUndefined();
  });

  it.each([
    ['no gzip', Buffer.from('to=bob')],
    ['cut short', gzipSync(noise(100_000)).subarray(0, 50_000)],
    ['damaged', Buffer.from(gzipSync('to=bob&text=hello').map((octet, at) => (at === 14 ? octet ^ 0xff : octet)))],
    ['nothing', Buffer.alloc(1)],
  ])('%s: 400, and no service has it as whole', async (_, body) => {
    const response = await send(body);
    expect([response.status, await response.json()]).toEqual([
      400,
      { message: 'Content-Encoding is gzip, but the body is not valid gzip' },
    ]);
    expect(arrived).toBeUndefined();
  });

  it('is inflated no faster than its service reads', async () => {
    let read: () => void = () => undefined;
    setting.service.answer = (request, response) => (read = () => echo(request, response));
    const body = gzipSync(wordy(MAX));
    expect(body.length).toBeLessThan(MAX / 50);
    const before = process.memoryUsage().arrayBuffers;
    const answer = send(body);
    let last = -1;
    const grown = () => process.memoryUsage().arrayBuffers - before;
    expect(await until(() => setting.service.seen.length > 0 && last === (last = grown()), 20_000, 300)).toBe(true);
    expect(grown()).toBeLessThan(MAX / 3);
    read();
    expect(await (await answer).json()).toEqual({ bytes: MAX });
  });

  it('whose client leaves half-way reaches nobody as whole', async () => {
    const client = open();
    client.on('error', () => undefined);
    client.write(gzipSync(noise(200_000)).subarray(0, 100_000));
    expect(await until(() => setting.service.seen.length === 1, 5_000)).toBe(true);
    client.destroy();
    expect(await until(() => brokenOff === 1, 5_000)).toBe(true);
    expect(arrived).toBeUndefined();
  });
});

it.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'compress'])('%s: 415, and what is taken', async (coding) => {
  const response = await send(deflateSync('to=bob'), { ...GZIP, 'content-encoding': coding });
  expect([response.status, await response.json()]).toEqual([415, { message: 'Content-Encoding: only gzip is taken' }]);
  expect(response.headers.get('accept-encoding')).toBe('gzip');
  expect(setting.service.seen).toEqual([]);
});
