import { form, get, joinPlatform, sendMessage, until, type PlatformClient } from '@lethe/testing';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { beforeAll, describe, expect, inject, it } from 'vitest';

interface Received {
  from: string;
  to: string[];
  raw: string;
  tls: boolean;
}

interface EventItem {
  event: string;
  recipient: string;
  timestamp: number;
  message: { headers: Record<string, string>; size: number };
  severity?: string;
  reason?: string;
  'delivery-status'?: { code: number; 'attempt-no': number };
}

let suite: PlatformClient;

beforeAll(async () => {
  suite = await joinPlatform(inject('platform'), 'first');
}, 120_000);

async function send(fields: Record<string, string | string[]>): Promise<string> {
  const response = await sendMessage(suite.platform.gateway, suite.demo, form(fields));
  const answer = (await response.json()) as { id: string; message: string };
  expect([response.status, answer.message]).toEqual([200, 'Queued. Thank you.']);
  return answer.id;
}

async function received(to: string, count = 1): Promise<Received[]> {
  let messages: Received[] = [];
  await until(async () => {
    messages = (await (await fetch(`${suite.world.http}/messages?to=${encodeURIComponent(to)}`)).json()) as Received[];
    return messages.length >= count;
  }, 20_000);
  return messages;
}

async function events(query: Record<string, string>, count: number): Promise<EventItem[]> {
  const parameters = new URLSearchParams({ ascending: 'yes', ...query }).toString();
  const url = `${suite.platform.gateway}/v3/${suite.demo.domain}/events?${parameters}`;
  let items: EventItem[] = [];
  await until(async () => {
    const response = await get(url, suite.demo.apiKey);
    expect(response.status).toBe(200);
    items = ((await response.json()) as { items: EventItem[] }).items;
    return items.length >= count;
  }, 20_000);
  return items;
}

describe('one message through everything', () => {
  it('arrives, signed, and its events are found', async () => {
    const id = await send({
      from: `Alice <alice@${suite.demo.domain}>`,
      to: 'Bob <ok+bob@world.example>',
      cc: 'ok+carol@world.example',
      bcc: 'ok+dave@world.example',
      subject: 'Grüße',
      text: 'Hello Bob',
      html: '<p>Hello Bob</p>',
      'o:tag': ['welcome'],
      'h:X-Custom': 'yes',
      'v:order': '42',
    });
    for (const to of ['ok+bob@world.example', 'ok+carol@world.example', 'ok+dave@world.example']) {
      const [message, ...more] = await received(to);
      expect(more).toEqual([]);
      const raw = Buffer.from(message!.raw, 'base64');
      expect(message!.from).toBe(`alice@${suite.demo.domain}`);
      expect(message!.to).toEqual([to]);
      expect(raw.toString()).toContain('X-Custom: yes');
      expect(raw.toString()).toContain(id);
      expect(raw.toString()).not.toContain('dave@');
      const { results } = await dkimVerify(raw, { resolver: worldResolver });
      expect(results.map((result) => result.status.result)).toEqual(['pass']);
    }
    const items = await events({ 'message-id': id.slice(1, -1) }, 6);
    expect(items.map(({ event, recipient }) => `${event} ${recipient}`).toSorted()).toEqual(
      ['bob', 'carol', 'dave']
        .flatMap((name) => [`accepted ok+${name}@world.example`, `delivered ok+${name}@world.example`])
        .toSorted(),
    );
    const bob = items.find(({ event, recipient }) => event === 'delivered' && recipient === 'ok+bob@world.example');
    expect(bob?.message.headers).toEqual({
      to: 'Bob <ok+bob@world.example>',
      from: `Alice <alice@${suite.demo.domain}>`,
      subject: 'Grüße',
      'message-id': id.slice(1, -1),
    });
    expect(bob?.['delivery-status']).toMatchObject({ code: 250, 'attempt-no': 1 });
  });

  it('retries a temporary failure until it is delivered', async () => {
    const id = await send({
      from: `a@${suite.demo.domain}`,
      to: 'greylist+1@world.example',
      subject: 'later',
      text: 'x',
    });
    expect(await received('greylist+1@world.example')).toHaveLength(1);
    const messageId = id.slice(1, -1);
    const [delivered] = await events({ 'message-id': messageId, event: 'delivered' }, 1);
    const [failed] = await events({ 'message-id': messageId, event: 'failed' }, 1);
    expect(failed).toMatchObject({ severity: 'temporary', 'delivery-status': { code: 451, 'attempt-no': 1 } });
    expect(delivered?.['delivery-status']?.['attempt-no']).toBeGreaterThan(1);
  });

  it('ends a permanent failure at once', async () => {
    const id = await send({ from: `a@${suite.demo.domain}`, to: '550+1@world.example', subject: 'no', text: 'x' });
    const items = await events({ 'message-id': id.slice(1, -1), event: 'failed' }, 1);
    expect(items[0]).toMatchObject({ severity: 'permanent', 'delivery-status': { code: 550 } });
  });

  it('gives each recipient a message of their own, with their own values', async () => {
    const id = await send({
      from: `Shop <shop@${suite.demo.domain}>`,
      to: ['Eve <ok+eve@world.example>', 'ok+frank@world.example'],
      subject: 'Order %recipient.order%',
      text: 'To %recipient%: order %recipient.order% for %recipient.city%',
      'v:order': 'no. %recipient.order%',
      'recipient-variables': JSON.stringify({ 'ok+EVE@world.example': { order: 1, city: 'Genève' } }),
    });
    const [[eve], [frank]] = [await received('ok+eve@world.example'), await received('ok+frank@world.example')];
    const [forEve, forFrank] = [eve!, frank!].map(({ raw }) => Buffer.from(raw, 'base64'));
    expect(forEve!.toString()).toMatch(/^To: Eve <ok\+eve@world\.example>\r\nSubject: Order 1\r\n/m);
    expect(forEve!.toString()).toContain('To ok+eve@world.example: order 1 for Gen=C3=A8ve');
    expect(forFrank!.toString()).toMatch(/^To: ok\+frank@world\.example\r\nSubject: Order %recipient\.order%\r\n/m);
    for (const raw of [forEve!, forFrank!]) {
      expect(raw.toString().match(/ok\+(eve|frank)@/g)?.length).toBe(2);
      const { results } = await dkimVerify(raw, { resolver: worldResolver });
      expect(results.map((result) => result.status.result)).toEqual(['pass']);
    }
    const items = await events({ 'message-id': id.slice(1, -1), recipient: 'ok+eve@world.example' }, 2);
    expect(items.map(({ event }) => event)).toEqual(['accepted', 'delivered']);
    expect(items[1]).toMatchObject({
      message: {
        headers: { to: 'Eve <ok+eve@world.example>', subject: 'Order 1' },
        recipients: ['ok+eve@world.example'],
      },
      'user-variables': { order: 'no. 1' },
    });
  });

  it('accepts and logs in test mode, and delivers nothing', async () => {
    const id = await send({
      from: `a@${suite.demo.domain}`,
      to: 'ok+test@world.example',
      subject: 't',
      text: 'x',
      'o:testmode': 'yes',
    });
    const items = await events({ 'message-id': id.slice(1, -1), event: 'delivered' }, 1);
    expect(items[0]).toMatchObject({ 'delivery-status': { code: 650 } });
    expect(await (await fetch(`${suite.world.http}/messages?to=ok%2Btest@world.example`)).json()).toEqual([]);
  });
});

/** The domain's key as the platform publishes it to its customer. */
async function worldResolver(name: string, type: string): Promise<string[][]> {
  const response = await get(`${suite.platform.gateway}/v4/domains/${suite.demo.domain}`, suite.demo.apiKey);
  const view = (await response.json()) as {
    sending_dns_records: { record_type: string; name: string; value: string }[];
  };
  const record = view.sending_dns_records.find((one) => one.record_type === type && one.name === name);
  if (!record) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  return [[record.value]];
}
