import { basic, until } from '@lethe/testing';
import Mailgun from 'mailgun.js';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';

/**
 * A customer who comes from Mailgun: from an account to a message that is deleted, with Mailgun's own client for JavaScript,
 * unmodified. Only the base URL is ours.
 */
type Official = ReturnType<Mailgun['client']>;
type Sent = Awaited<ReturnType<Official['messages']['create']>>;
type Domain = Awaited<ReturnType<Official['domains']['get']>>;

/** The client, with the calls that it has and its declared interface lacks. */
type Client = Omit<Official, 'messages'> & {
  messages: Official['messages'] & {
    retrieveStoredEmail(domain: string, key: string): Promise<Record<string, unknown>>;
    resendEmail(domain: string, key: string, to: string): Promise<Sent>;
  };
  apiKeys: {
    create(key: { role: string; kind: string; domain_name: string; description: string }): Promise<Key>;
    list(query: { domain_name: string }): Promise<{ items: Key[] }>;
    destroy(id: string): Promise<unknown>;
  };
};

type DnsRecord = NonNullable<Domain['sending_dns_records']>[number];

interface Key {
  id: string;
  role: string;
  kind: string;
  secret: string;
}

const DOMAIN = 'story.example.com';
const REPORT = Buffer.from('Quarter,Amount\r\n1,42\r\n');

const { gateway, operatorToken, world } = inject('platform');
/** With the account's key, and with the one that may only send. */
let ann: Client;
let app: Client;
let apiKey: string;
let sendingKeyId: string;
let messageId: string;
let storage: { url: string; key: string };

beforeAll(() => {
  // It calls what our users call deprecated, on every call.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

const client = (key: string): Client => new Mailgun(FormData).client({ username: 'api', key, url: gateway }) as Client;

/** What a call says that is refused. */
async function refusal(call: Promise<unknown>): Promise<{ status: number; details: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as { status: number; details: string },
  );
  if (!error) throw new Error('it was not refused');
  return { status: error.status, details: error.details };
}

async function arrived(to: string): Promise<string | undefined> {
  const response = await fetch(`${world.http}/messages?to=${encodeURIComponent(to)}`);
  const [message] = (await response.json()) as { raw: string }[];
  return message && Buffer.from(message.raw, 'base64').toString();
}

async function publish(record: DnsRecord): Promise<void> {
  const value = record.priority === undefined ? record.value : `${record.priority} ${record.value}`;
  const response = await fetch(`${world.http}/dns`, {
    method: 'PUT',
    body: JSON.stringify({ name: record.name, type: record.record_type, value }),
  });
  expect(response.status).toBe(200);
}

describe('a customer comes from Mailgun', () => {
  it('has an account made by the operator', async () => {
    const response = await fetch(`${gateway}/v1/accounts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorToken}` },
      body: new URLSearchParams({ name: 'Story' }),
    });
    ({ api_key: apiKey } = (await response.json()) as { api_key: string });
    ann = client(apiKey);
    const known = async (): Promise<boolean> => (await ann.domains.list().catch(() => undefined)) !== undefined;
    expect(await until(known, 15_000)).toBe(true);
    expect(await ann.domains.list()).toEqual([]);
  });

  it('adds a domain, which does not send yet', async () => {
    const domain = await ann.domains.create({ name: DOMAIN });
    expect(domain).toMatchObject({ name: DOMAIN, state: 'unverified', type: 'custom', is_disabled: false });
    expect(records(domain).every(({ valid }) => valid === 'unknown')).toBe(true);
    let answer = { status: 404, details: '' };
    await until(async () => {
      answer = await refusal(ann.messages.create(DOMAIN, letter('ok+early@world.example')));
      return answer.status !== 404;
    }, 15_000);
    expect(answer).toEqual({ status: 403, details: expect.stringContaining('verif') as unknown });
  });

  it('is told by real queries what is wrong in the DNS', async () => {
    const spf = records(await ann.domains.get(DOMAIN)).find(({ value }) => value.startsWith('v=spf1'));
    await publish({ ...spf!, value: 'v=spf1 -all' });
    const domain = await ann.domains.verify(DOMAIN);
    expect(domain.state).toBe('unverified');
    expect(records(domain).find(({ value }) => value.startsWith('v=spf1'))).toMatchObject({ valid: 'invalid' });
  });

  it('publishes the records, and the domain is active', async () => {
    for (const record of records(await ann.domains.get(DOMAIN))) await publish(record);
    let domain: Domain | undefined;
    const active = async (): Promise<boolean> => {
      domain = await ann.domains.verify(DOMAIN);
      return domain.state === 'active';
    };
    expect(await until(active, 15_000, 500)).toBe(true);
    expect(records(domain!).map(({ valid }) => valid)).toEqual(records(domain!).map(() => 'valid'));
  });

  it('makes a key for the application, which can send and nothing else', async () => {
    const key = await ann.apiKeys.create({ role: 'sending', kind: 'domain', domain_name: DOMAIN, description: 'shop' });
    sendingKeyId = key.id;
    app = client(key.secret);
    let refused = { status: 401, details: '' };
    await until(async () => {
      refused = await refusal(app.domains.list());
      return refused.status !== 401;
    }, 15_000);
    expect(refused.status).toBe(403);
    const keys = await ann.apiKeys.list({ domain_name: DOMAIN });
    expect(keys.items.map(({ id, role, kind }) => [id, role, kind])).toEqual([[sendingKeyId, 'sending', 'domain']]);
  });

  it('sends a message with an attachment, and it arrives', async () => {
    const sent = await app.messages.create(DOMAIN, {
      ...letter('Bob <ok+story-bob@world.example>'),
      'o:tag': ['invoice'],
      'v:order': '4711',
      attachment: { data: REPORT, filename: 'report.csv', contentType: 'text/csv' },
    });
    expect(sent).toMatchObject({ status: 200, message: 'Queued. Thank you.' });
    messageId = sent.id!.slice(1, -1);
    expect(await until(async () => (await arrived('ok+story-bob@world.example')) !== undefined, 20_000)).toBe(true);
    const raw = await arrived('ok+story-bob@world.example');
    expect(raw).toMatch(new RegExp(`^DKIM-Signature: .*d=${DOMAIN}`, 'ms'));
    expect(raw).toContain(REPORT.toString('base64'));
  });

  it('finds what happened in the events', async () => {
    const query = { 'message-id': messageId, ascending: 'yes' as const };
    let page: Awaited<ReturnType<Client['events']['get']>> | undefined;
    const both = async (): Promise<boolean> => {
      page = await ann.events.get(DOMAIN, query);
      return page.items.length === 2;
    };
    expect(await until(both, 20_000)).toBe(true);
    const [accepted, delivered] = page!.items;
    expect(accepted).toMatchObject({
      event: 'accepted',
      method: 'http',
      tags: ['invoice'],
      'user-variables': { order: '4711' },
    });
    expect(delivered).toMatchObject({ event: 'delivered', recipient: 'ok+story-bob@world.example' });
    const next = await ann.events.get(DOMAIN, { page: page!.pages.next.page });
    expect(next.items).toEqual([]);
    storage = delivered!.storage;
  });

  it('reads the stored copy and its attachment', async () => {
    const stored = await ann.messages.retrieveStoredEmail(DOMAIN, storage.key);
    expect(stored).toMatchObject({
      recipients: 'ok+story-bob@world.example',
      Subject: 'Your invoice',
      'body-plain': 'Hello',
    });
    const [attachment] = stored['attachments'] as { url: string; name: string; size: number }[];
    expect(attachment).toMatchObject({ name: 'report.csv', size: REPORT.length });
    const octets = await fetch(attachment!.url, { headers: { authorization: basic(apiKey) } });
    expect(Buffer.from(await octets.arrayBuffer()).equals(REPORT)).toBe(true);
  });

  it('sends it again, to somebody else', async () => {
    const again = await ann.messages.resendEmail(DOMAIN, storage.key, 'ok+story-carol@world.example');
    expect(again).toMatchObject({ status: 200, message: 'Queued. Thank you.' });
    expect(await until(async () => (await arrived('ok+story-carol@world.example')) !== undefined, 20_000)).toBe(true);
    expect(await arrived('ok+story-carol@world.example')).toContain(REPORT.toString('base64'));
  });

  it('deletes it, and it is as if it had never been', async () => {
    const response = await fetch(storage.url, { method: 'DELETE', headers: { authorization: basic(apiKey) } });
    expect(response.status).toBe(200);
    const never = await refusal(ann.messages.retrieveStoredEmail(DOMAIN, '0'.repeat(storage.key.length)));
    expect(never.status).toBe(404);
    expect(await refusal(ann.messages.retrieveStoredEmail(DOMAIN, storage.key))).toEqual(never);
  });

  it('takes the key away, and within a second nobody sends with it', async () => {
    await ann.apiKeys.destroy(sendingKeyId);
    const out = async (): Promise<boolean> =>
      (await app.messages.create(DOMAIN, letter('ok@world.example')).catch((error: { status: number }) => error))
        .status === 401;
    expect(await until(out, 5_000, 50)).toBe(true);
  });

  it('leaves, and the domain is gone', async () => {
    await ann.domains.destroy(DOMAIN);
    expect((await refusal(ann.domains.get(DOMAIN))).status).toBe(404);
    expect(await ann.domains.list()).toEqual([]);
  });
});

const letter = (to: string) => ({ from: `Ann <ann@${DOMAIN}>`, to: [to], subject: 'Your invoice', text: 'Hello' });

function records(domain: Domain): DnsRecord[] {
  return [...(domain.sending_dns_records ?? []), ...(domain.receiving_dns_records ?? [])];
}
