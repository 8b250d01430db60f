import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startSurroundings, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;
const T0 = Date.now() - 60_000;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
  await around.publish([
    ...Array.from({ length: 7 }, (_, index) => ({ to: `page${index}@x.example`, at: T0 + index, subject: 'Paging' })),
    {
      to: 'Ana@x.example',
      subject: 'Invoice for May',
      size: 5_000,
      tags: ['billing'],
      type: 'delivered',
      at: T0 + 100,
    },
    {
      to: 'ben@x.example',
      subject: 'Invoice for June',
      size: 50,
      from: 'Bob B. <bob@sender.example>',
      type: 'failed',
      at: T0 + 101,
    },
  ]);
  await until(async () => (await recipients('')).length === 9, 20_000);
}, 120_000);
afterAll(() => around?.close());

interface Item {
  recipient: string;
  event: string;
}

async function recipients(parameters: string): Promise<string[]> {
  const { status, body } = await around.query(parameters);
  expect([status, body['message']]).toEqual([200, undefined]);
  return (body['items'] as Item[]).map(({ recipient }) => recipient);
}

it('says where the message of an event is kept', async () => {
  const { body } = await around.query('recipient=ben@x.example');
  const [{ storage }] = body['items'] as { storage: { url: string; key: string } }[];
  expect(storage).toEqual({
    url: expect.any(String),
    key: expect.stringMatching(/^[0-9a-f-]{36}$/),
    region: '',
    env: '',
  });
  expect(storage.url).toMatch(/^http:\/\/gateway\.example\/v3\/domains\/[^/]+\/messages\/[0-9a-f-]{36}$/);
  expect(storage.url.endsWith(storage.key)).toBe(true);
});

describe('filters', () => {
  it.each([
    ['recipient=ana@x.example', ['Ana@x.example']],
    ['recipient=ANA@X.EXAMPLE', ['Ana@x.example']],
    ['event=delivered', ['Ana@x.example']],
    ['event=delivered+OR+failed', ['ben@x.example', 'Ana@x.example']],
    ['event=NOT+accepted', ['ben@x.example', 'Ana@x.example']],
    ['subject=invoice', ['ben@x.example', 'Ana@x.example']],
    ['subject=invoice+may', ['Ana@x.example']],
    ['subject=%22for+june%22', ['ben@x.example']],
    ['subject=invoice&event=failed', ['ben@x.example']],
    ['size=%3E4000', ['Ana@x.example']],
    ['size=%3E40+%3C60', ['ben@x.example']],
    ['tags=BILLING', ['Ana@x.example']],
    ['from=bob@sender.example', ['ben@x.example']],
    ['severity=permanent', ['ben@x.example']],
    ['attachment=report&event=failed', ['ben@x.example']],
    ['list=a@b.example', []],
    ['recipient=nobody@x.example', []],
    ['recipient=%22ana@x.example%22', ['Ana@x.example']],
    ['subject=invoice&size=%3C999999999999999', ['ben@x.example', 'Ana@x.example']],
  ])('%s', async (parameters, expected) => {
    expect(await recipients(parameters)).toEqual(expected);
  });

  it('by message id, with and without brackets', async () => {
    const { body } = await around.query('recipient=ana@x.example');
    const id = (body['items'] as { message: { headers: Record<string, string> } }[])[0].message.headers['message-id'];
    expect(await recipients(`message-id=${id}`)).toEqual(['Ana@x.example']);
    expect(await recipients(`message-id=%3C${id}%3E`)).toEqual(['Ana@x.example']);
  });

  it.each([
    'nonsense=1',
    'size=big',
    'size=%3E99999999999999999999',
    'event=%28a',
    'limit=none',
    'begin=now',
    'begin=1&end=2&ascending=no',
  ])('refuses %s with a 400 that names it', async (parameters) => {
    const { status, body } = await around.query(parameters);
    expect([status, String(body['message'])]).toEqual([
      400,
      expect.stringMatching(/nonsense|size|event|limit|begin|ascending/),
    ]);
  });
});

describe('pages', () => {
  const path = (link: string): string => {
    expect(link).toMatch(/^http:\/\/gateway\.example\/v3\/events\.example\/events\/[^/]+$/);
    return new URL(link).pathname;
  };

  it('forwards, backwards, in order, without gap or repetition, and an empty page at the end', async () => {
    const seen: string[] = [];
    let { body } = await around.query('subject=paging&limit=3&ascending=yes');
    const pages: Record<string, any>[] = [];
    for (let turn = 0; turn < 10 && (body['items'] as Item[]).length > 0; turn += 1) {
      pages.push(body);
      seen.push(...(body['items'] as Item[]).map(({ recipient }) => recipient));
      ({ body } = await around.query(path(body['paging'].next)));
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6].map((index) => `page${index}@x.example`));
    expect(pages.map(({ items }) => (items as Item[]).length)).toEqual([3, 3, 1]);
    const back = await around.query(path(pages[1]['paging'].previous));
    expect(back.body['items']).toEqual(pages[0]['items']);
    const last = await around.query(path(pages[0]['paging'].last));
    expect((last.body['items'] as Item[]).map(({ recipient }) => recipient)).toEqual(
      [4, 5, 6].map((index) => `page${index}@x.example`),
    );
  });

  it('turning back at either end skips nothing', async () => {
    const names = ({ body }: { body: Record<string, any> }): string[] =>
      (body['items'] as Item[]).map(({ recipient }) => recipient);
    const follow = (from: { body: Record<string, any> }, way: string) => around.query(path(from.body['paging'][way]));
    const first = await around.query('subject=paging&limit=4&ascending=yes');
    const before = await follow(first, 'previous');
    expect(names(before)).toEqual([]);
    expect(names(await follow(before, 'next'))).toEqual(names(first));
    const last = await follow(first, 'next');
    const after = await follow(last, 'next');
    expect(names(after)).toEqual([]);
    expect(names(await follow(after, 'previous')).at(-1)).toBe(names(last).at(-1));
  });

  it('a link leads on however long its query is', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `someone${index}@example.net`).join(' OR ');
    const query = new URLSearchParams({ recipient: `ana@x.example OR ${many}` });
    const { body } = await around.query(String(query));
    expect(body['items']).toHaveLength(1);
    const again = await around.query(path(body['paging'].first));
    expect([again.status, again.body['items']]).toEqual([200, body['items']]);
  });

  it('asking the next link of an empty page again returns what has arrived since', async () => {
    const empty = await around.query('subject=later&ascending=yes');
    expect(empty.body['items']).toEqual([]);
    const next = path(empty.body['paging'].next);
    await around.publish([{ to: 'late@x.example', subject: 'Later' }]);
    const arrived = async () => ((await around.query(next)).body['items'] as Item[]).length === 1;
    expect(await until(arrived, 10_000)).toBe(true);
  });

  it('refuses a token of another domain or account, and noise', async () => {
    expect((await around.query('/v3/events.example/events/noise')).status).toBe(400);
    expect((await around.query('limit=1', '019ab7a0-0000-7000-8000-00000000000a')).status).toBe(404);
  });

  it('is asked for by any spelling of the domain that the gateway takes', async () => {
    const { status, body } = await around.query('/v3/b%C3%BCcher.example/events?recipient=ana@x.example');
    expect([status, (body['items'] as Item[]).length]).toEqual([200, 1]);
    expect(new URL(body['paging'].next).pathname).toMatch(/^\/v3\/b%C3%BCcher\.example\/events\//);
  });

  it('a token says nothing about whom it asks for', async () => {
    const { body } = await around.query('recipient=ana@x.example&limit=1');
    const decoded = decodeURIComponent(body['paging'].next);
    const parts = decoded.split('/').at(-1)!.split('.');
    expect(parts.map((part) => Buffer.from(part, 'base64url').toString()).join(' ')).not.toMatch(/ana@|x\.example/i);
  });
});

describe('projection', () => {
  it('indexing the same event twice changes nothing', async () => {
    const at = Date.now();
    const mail = { to: 'twice@x.example', at };
    const [event] = await around.publish([mail]);
    await until(async () => (await recipients('recipient=twice@x.example')).length === 1, 10_000);
    expect(event?.at).toBe(at);
    await around.publish([{ to: 'marker@x.example' }]);
    await until(async () => (await recipients('recipient=marker@x.example')).length === 1, 10_000);
    expect(await recipients('recipient=twice@x.example')).toHaveLength(1);
  });

  it('what was sealed for someone forgotten meanwhile is not indexed; the others are', async () => {
    await around.publish([{ to: 'gone@x.example' }, { to: 'stays@x.example' }], () => around.fence('gone@x.example'));
    await until(async () => (await recipients('recipient=stays@x.example')).length === 1, 10_000);
    expect(await recipients('recipient=stays@x.example')).toHaveLength(1);
    expect(await recipients('recipient=gone@x.example')).toEqual([]);
  });

  it('takes what customers and networks come up with, and shows it as it was', async () => {
    const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as [];
    const variables = JSON.parse('{"__proto__": {"a": 1}, "constructor": {"prototype": 1}, ".": 1, "": 2}') as object;
    const mails = [
      { to: 'odd@x.example', variables: variables as {} },
      { to: 'deep@x.example', variables: { deep } },
      { to: 'mapped@x.example', originatingIp: '::ffff:192.0.2.1' },
      { to: 'linklocal@x.example', originatingIp: 'fe80::1%eth0' },
    ];
    await around.publish(mails);
    for (const { to, variables: sent } of mails) {
      expect(await until(async () => (await recipients(`recipient=${to}`)).length === 1, 10_000)).toBe(true);
      if (!sent) continue;
      const { body } = await around.query(`recipient=${to}`);
      expect(JSON.stringify(body['items'][0]['user-variables'])).toBe(JSON.stringify(sent));
    }
  });

  it('an event that can never be opened holds up no other', async () => {
    await around.publish([{ to: 'poison@x.example', poisoned: true }, { to: 'healthy@x.example' }]);
    expect(await until(async () => (await recipients('recipient=healthy@x.example')).length === 1, 10_000)).toBe(true);
  });
});

it('says of which template a message was made, and that somebody unsubscribed', async () => {
  const template = { name: 'welcome', version: 'initial', variables: { secret: 'not shown' } };
  await around.publish([{ to: 'carl@y.example', subject: 'Rendered', type: 'unsubscribed', template }]);
  expect(await until(async () => (await recipients('event=unsubscribed')).length === 1, 20_000)).toBe(true);
  const { body } = await around.query('event=unsubscribed');
  const [event] = body['items'] as Record<string, unknown>[];
  expect(event).toMatchObject({
    event: 'unsubscribed',
    recipient: 'carl@y.example',
    template: { name: 'welcome', version: 'initial' },
    message: { headers: { 'message-id': expect.stringContaining('@events.example') } },
  });
  expect(event).not.toHaveProperty('delivery-status');
  expect(JSON.stringify(event)).not.toContain('not shown');
});
