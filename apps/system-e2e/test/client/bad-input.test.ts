import { gzipSync } from 'node:zlib';
import { basic, joinPlatform, type PlatformClient } from '@lethe/testing';
import { beforeAll, describe, expect, inject, it } from 'vitest';

let suite: PlatformClient;
beforeAll(async () => {
  suite = await joinPlatform(inject('platform'), 'bad');
});

interface Answer {
  status: number;
  message: string;
  headers: Headers;
}

async function post(path: string, init: RequestInit & { key?: string | null }): Promise<Answer> {
  const { key = suite.demo.apiKey, ...rest } = init;
  const response = await fetch(`${suite.platform.gateway}${path}`, {
    method: 'POST',
    ...rest,
    headers: { ...(key === null ? {} : { authorization: basic(key) }), ...(rest.headers as Record<string, string>) },
  });
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const { message } = (await response.json()) as { message: string };
  expect(typeof message).toBe('string');
  return { status: response.status, message, headers: response.headers };
}

const good = (): Record<string, string> => ({
  from: `a@${suite.demo.domain}`,
  to: 'ok@world.example',
  subject: 's',
  text: 't',
});

function send(
  fields: Record<string, string | undefined>,
  init: { key?: string | null; domain?: string } = {},
): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...good(), ...fields }))
    if (value !== undefined) body.append(name, value);
  return post(`/v3/${init.domain ?? suite.demo.domain}/messages`, {
    body,
    ...('key' in init ? { key: init.key ?? null } : {}),
  });
}

function sendMime(raw: Buffer): Promise<Answer> {
  const body = new FormData();
  body.append('to', 'ok@world.example');
  body.append('message', new Blob([new Uint8Array(raw)]), 'MimeMessage');
  return post(`/v3/${suite.demo.domain}/messages.mime`, { body });
}

describe('who is asking', () => {
  it('no key, an unknown key: 401', async () => {
    expect(await send({}, { key: null })).toMatchObject({ status: 401 });
    expect(await send({}, { key: `key-${'0'.repeat(64)}` })).toMatchObject({
      status: 401,
      message: 'Invalid private key',
    });
  });
  it('an unknown domain: 404', async () => {
    expect(await send({}, { domain: 'nobody.example' })).toMatchObject({ status: 404, message: 'Domain not found' });
  });
});

describe('fields', () => {
  it.each([
    ['to', undefined],
    ['from', undefined],
    ['to', 'nobody'],
    ['to', 'a@b@c.example'],
    ['to', 'ok@world.example, <broken'],
    ['from', 'no address'],
    ['cc', 'x@'],
    ['to', 'a\r\nRCPT TO:<b@world.example>'],
    ['to', 'a\0@world.example'],
    ['subject', 'a\r\nBcc: b@world.example'],
    ['subject', 'a\0b'],
    ['h:X-One', 'a\nX-Two: b'],
    ['h:X One', 'a'],
    ['h:Bcc', 'b@world.example'],
    ['text', undefined],
    ['o:tag', 'ana@example.net'],
    ['o:testmode', 'perhaps'],
    ['o:deliverytime', 'tomorrow'],
    ['v:x', 'y'.repeat(20_000)],
    ['o:unheard', 'of'],
  ])('%s = %j: 400 that names it and quotes nothing', async (field, value) => {
    const { status, message } = await send({ [field]: value });
    expect(status).toBe(400);
    expect(message).toContain(
      field === 'text' ? "'text'" : /^[\w:-]+$/.test(field) && !field.startsWith('v:') ? field : '',
    );
    if (value && value.length > 1 && value.length < 100) expect(message).not.toContain(value);
    expect(message).not.toMatch(/@(world|example)/);
  });

  it('a header name with a line break: 400', async () => {
    const body = new URLSearchParams({ ...good(), 'h:X-One\r\nX-Two': 'a' });
    expect(await post(`/v3/${suite.demo.domain}/messages`, { body })).toMatchObject({
      status: 400,
      message: expect.stringContaining('header'),
    });
  });

  it('an attachment that is no file: 400, or it would be lost without a word', async () => {
    expect(await send({ attachment: 'x' })).toMatchObject({
      status: 400,
      message: expect.stringContaining('attachment'),
    });
  });
});

describe('forms', () => {
  const path = (): string => `/v3/${suite.demo.domain}/messages`;
  it.each([
    ['JSON', { headers: { 'content-type': 'application/json' }, body: '{}' }],
    ['no boundary', { headers: { 'content-type': 'multipart/form-data' }, body: 'x' }],
    [
      'cut off',
      {
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="to"\r\n\r\na',
      },
    ],
    [
      'not gzip',
      { headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' }, body: 'to=a' },
    ],
  ])('%s: 400', async (_name, init) => {
    expect((await post(path(), init)).status).toBe(400);
  });

  it('a decompression bomb: 413', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('text='), Buffer.alloc(200 * 1024 * 1024, 0x61)]));
    const { status, message } = await post(path(), {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
      body: new Uint8Array(bomb),
    });
    expect([status, message]).toEqual([413, expect.stringContaining('inflates to more than')]);
  });

  it('a gzipped form is taken', async () => {
    const { status } = await post(path(), {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
      body: new Uint8Array(gzipSync(new URLSearchParams(good()).toString())),
    });
    expect(status).toBe(200);
  });

  it('over 25 MiB: 413', async () => {
    expect(await send({ text: 'x'.repeat(27 * 1024 * 1024) })).toMatchObject({ status: 413 });
    expect(await sendMime(Buffer.from(`Subject: x\r\n\r\n${'y\r\n'.repeat(8_800_000)}`))).toMatchObject({
      status: 413,
    });
  });

  it('1,001 recipients: 400; 5,000 parts: 400', async () => {
    const to = Array.from({ length: 1_001 }, (_, index) => `ok+${index}@world.example`).join(',');
    expect(await send({ to })).toMatchObject({ status: 400, message: expect.stringContaining('1000') });
    const body = new FormData();
    for (let index = 0; index < 5_000; index += 1) body.append(`v:${index}`, 'x');
    expect((await post(path(), { body })).status).toBe(400);
  });
});

describe('messages.mime', () => {
  it('1,000 levels of MIME: 400', async () => {
    const levels = Array.from({ length: 1_000 }, (_, level) => level);
    const open = levels
      .map((level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`)
      .join('');
    const { status, message } = await sendMime(
      Buffer.from(`Subject: deep\r\nMIME-Version: 1.0\r\n${open}Content-Type: text/plain\r\n\r\nx\r\n`),
    );
    expect([status, message]).toEqual([400, expect.stringContaining('nest deeper')]);
  });
  it.each([
    ['a bare CR', 'Subject: x\r\n\r\na\rb\r\n', /CR/],
    ['a bare CR in the header', 'Subject: x\rBcc: b@world.example\r\n\r\na\r\n', /CR/],
    ['a NUL', 'Subject: x\r\n\r\na\0b\r\n', /NUL/],
    ['nothing', '', /message/],
  ])('%s: 400 that says why', async (_name, raw, why) => {
    const { status, message } = await sendMime(Buffer.from(raw, 'latin1'));
    expect(status).toBe(400);
    expect(message).toMatch(why);
  });
});
