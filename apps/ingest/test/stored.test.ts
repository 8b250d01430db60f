import { randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { openBody } from '@lethe/bodies';
import { Database } from '@lethe/database';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { Vault } from '@lethe/vault';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { acceptedBy } from './support/obstacles.ts';
import { sent, somebody } from './support/plant.ts';
import { surroundings, type Fields, type Surroundings } from './support/surroundings.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });
const MIB = 1024 * 1024;

let around: Surroundings;

beforeAll(async () => {
  // Nothing is removed here because a domain keeps less for a moment: `shortened.test.ts` sees to that.
  around = await surroundings(inject('stores'), { STORED_FORGET_MS: '100', RETENTION_WORK_MS: '86400000' });
  await around.replica();
  await around.replica();
});
afterAll(() => around?.close());
afterEach(() => vi.restoreAllMocks());

interface Message {
  id: string;
  drop_at: Date;
  stored: string;
}

async function row(id: string): Promise<Message> {
  const { rows } = await around.database.query<Message>('select id, drop_at, stored from message where id = $1', [id]);
  return rows[0];
}
const latest = async (): Promise<string> => {
  const { rows } = await around.database.query<Message>('select id from message order by id desc limit 1');
  return rows[0].id;
};
async function accepted(fields: Fields = {}): Promise<string> {
  // 503 keeps nothing: the machine may be too busy to be sure that settings are fresh.
  await vi.waitFor(() => sent(around, { to: somebody(), ...fields }), { timeout: 15_000, interval: 500 });
  return latest();
}
async function acceptedMime(raw: string, to: string = somebody()): Promise<string> {
  expect(await around.sendMime({ to, message: raw })).toMatchObject({ status: 200 });
  return latest();
}
/** As delivery would send it. */
async function asSent(id: string): Promise<Buffer> {
  const { drop_at: dropAt } = await row(id);
  return openBody(await around.vault.delivery.contentKey(id, dropAt), id, await around.bodies.read(id, dropAt));
}
async function json(path: string, init: RequestInit = {}): Promise<any> {
  const response = await around.stored(path, init);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return response.json();
}
const MIME = { headers: { accept: 'message/rfc2822' } };

describe('a stored message', () => {
  const file = randomBytes(300);
  const mime = [
    'From: "Ana, of A" <ana@sender.example>',
    'To: Ben <ben@world.example>',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'Message-ID: <given@sender.example>',
    'MIME-Version: 1.0',
    'X-Twice: 1',
    'X-Twice: 2',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: multipart/alternative; boundary=a',
    '',
    '--a',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Sch=C3=B6n!',
    '-- ',
    'Ana',
    '--a',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>Schön! <img src="cid:pic"></p>',
    '--a--',
    '--b',
    'Content-Type: image/png; name="p.png"',
    'Content-ID: <pic>',
    'Content-Transfer-Encoding: base64',
    '',
    file.toString('base64'),
    '--b',
    'Content-Type: text/plain; name="=?utf-8?q?=E2=82=AC?=.txt"',
    'Content-Disposition: attachment',
    '',
    'a line',
    '--b--',
    '',
  ].join('\r\n');

  it('is shown parsed, under both spellings, with links to what is attached', async () => {
    const expected = { to: ['ben@world.example', 'hidden@world.example'] };
    expect(await around.sendMime({ ...expected, message: mime, 'o:tag': ['one', 'two'] })).toMatchObject({
      status: 200,
    });
    const id = await latest();
    const url = `http://gateway.example/v3/domains/sender.example/messages/${id}/attachments`;
    const picture = { url: `${url}/0`, name: 'p.png', size: 300, 'content-type': 'image/png' };
    const message = await json(id);
    expect(message).toEqual({
      recipients: 'ben@world.example, hidden@world.example',
      sender: 'ana@sender.example',
      from: '"Ana, of A" <ana@sender.example>',
      From: '"Ana, of A" <ana@sender.example>',
      To: 'Ben <ben@world.example>',
      Cc: '',
      'Reply-To': '',
      subject: 'Grüße',
      Subject: 'Grüße',
      Date: expect.stringMatching(/\+0000$/),
      'Message-Id': '<given@sender.example>',
      'Mime-Version': '1.0',
      'Content-Type': 'multipart/mixed; boundary=b',
      'X-Mailgun-Tag': 'one, two',
      'body-plain': 'Schön!\r\n-- \r\nAna',
      'stripped-text': 'Schön!',
      'stripped-signature': 'Ana',
      'body-html': '<p>Schön! <img src="cid:pic"></p>',
      'stripped-html': '<p>Schön! <img src="cid:pic"></p>',
      'message-headers': expect.arrayContaining([
        ['Subject', 'Grüße'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
      ]),
      attachments: [picture, { url: `${url}/1`, name: '€.txt', size: 6, 'content-type': 'text/plain' }],
      'content-id-map': { '<pic>': picture },
    });
  });

  it('is shown as it was sent where that is asked for', async () => {
    const id = await acceptedMime(mime);
    const { 'body-mime': raw, ...about } = await json(id, MIME);
    expect(raw).toBe((await asSent(id)).toString());
    expect(Object.keys(about).toSorted()).toEqual(['from', 'recipients', 'sender', 'subject']);
    const latin = await acceptedMime('From: a@sender.example\r\nSubject: x\r\n\r\n\u{fc}\r\n');
    expect((await json(latin, MIME))['body-mime']).toBe((await asSent(latin)).toString());
  });

  it('gives what is attached as it is, to be saved, and answers HEAD without it', async () => {
    const id = await acceptedMime(mime);
    const response = await around.stored(`${id}/attachments/0`, MIME);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(file);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '300',
      'content-disposition': `attachment; filename*=UTF-8''p.png`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    const named = await around.stored(`${id}/attachments/1`);
    expect(named.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''%E2%82%AC.txt`);
    expect(await named.text()).toBe('a line');
    for (const path of [`${id}/attachments/0`, id]) {
      const head = await around.stored(path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
    }
  });

  it('of many segments is whole, and what a client does not take is not kept for it', async () => {
    const content = randomBytes(7 * MIB);
    const raw = `From: a@sender.example\r\nContent-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`;
    const id = await acceptedMime(raw);
    expect((await json(id, MIME))['body-mime']).toBe((await asSent(id)).toString());
    // Room for one of them at a time.
    const app = await around.replica({ STORED_BYTES_IN_FLIGHT: String(60 * MIB), STORED_SEND_MS: '3000' });
    const replica = around.apps.indexOf(app);
    const began = performance.now();
    const stalled = await around.stored(`${id}/attachments/0`, {}, { replica });
    const second = await around.stored(`${id}/attachments/0`, {}, { replica });
    expect(Buffer.from(await second.arrayBuffer()).equals(content)).toBe(true);
    expect(performance.now() - began).toBeGreaterThan(2_900);
    await expect(stalled.arrayBuffer()).rejects.toThrow();
    await around.stop(app);
  });

  it('is 503 while the vault is away, whether it is there or not', async () => {
    const id = await accepted();
    await around.deafened(async () => {
      for (const key of [id, randomUUIDv7(), 'nonsense']) {
        const response = await around.stored(key);
        expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([503, true]);
      }
    });
    await vi.waitFor(async () => expect((await around.stored(id)).status).toBe(200), 5_000);
  });

  it('is shown of a domain that may not send', async () => {
    const id = await accepted();
    await around.publishDomain({ state: 'disabled' });
    const resend = () => around.stored(id, { method: 'POST', body: new URLSearchParams({ to: somebody() }) });
    await vi.waitFor(async () => expect((await resend()).status).toBe(403), 5_000);
    expect((await around.stored(id)).status).toBe(200);
    await around.publishDomain({});
    await vi.waitFor(async () => expect((await around.send({ to: somebody() })).status).toBe(200), 5_000);
  });
});

/** All that a client is told, but for when and under which number. */
async function told(response: Response): Promise<unknown> {
  const { date: _, 'x-request-id': __, ...headers } = Object.fromEntries(response.headers);
  return { status: response.status, headers, body: await response.text() };
}

describe('what cannot be shown', () => {
  it('answers the same, asking the same of the same stores, for whatever reason', async () => {
    const person = somebody();
    const erased = await accepted({ to: person });
    await around.apps[0]
      ?.get(PersonalDataHolder, { strict: false })
      .erase(around.scope(await around.subjectOf(person)));
    const named = await accepted({ 'h:Reply-To': person });
    await around.apps[0]
      ?.get(PersonalDataHolder, { strict: false })
      .erase(around.scope(await around.subjectOf(person)));
    const removed = await accepted();
    expect((await around.stored(removed, { method: 'DELETE' })).status).toBe(200);
    const past = await accepted();
    await around.database.query(`update message set drop_at = to_timestamp(0) where id = $1`, [past]);
    await around.publishDomain({ bodiesDays: 0 });
    let never = '';
    await vi.waitFor(async () => {
      never = await accepted();
      expect((await row(never)).stored).toBe('never');
    }, 5_000);
    await around.publishDomain({});
    const old = await accepted();
    await around.database.query(`update message set accepted_at = now() - interval '8 days' where id = $1`, [old]);
    const there = await accepted();
    await vi.waitFor(async () => expect((await around.stored(there)).status).toBe(200), 5_000);
    const unknown = randomUUIDv7();

    const database = vi.spyOn(around.apps[0].get(Database, { strict: false }).pool, 'query');
    const vault = vi.spyOn(around.apps[0].get(Vault, { strict: false }), 'contentKey');
    const asked = (): unknown[] => {
      const looks = (database.mock.calls as unknown[][]).filter(
        ([query]) => (query as { name?: string }).name === 'find-stored',
      );
      const calls = [looks.length, vault.mock.calls.length];
      database.mockClear();
      vault.mockClear();
      return calls;
    };
    const expected = await told(await around.stored(unknown));
    expect(expected).toMatchObject({ status: 404, body: '{"message":"Message not found"}' });
    expect(asked()).toEqual([1, 1]);
    const keys = [
      erased,
      named,
      removed,
      past,
      never,
      old,
      randomUUID(),
      'nonsense',
      'x'.repeat(4_000),
      '%25',
      '..%00',
      '',
    ];
    for (const key of [...keys, `${unknown}/attachments/0`, `${there}/else`, there.toUpperCase()]) {
      expect(await told(await around.stored(key)), key).toEqual(expected);
      expect(asked(), key).toEqual([1, 1]);
      expect(await told(await around.stored(key, MIME)), key).toEqual(expected);
      expect(await told(await around.stored(key, { method: 'DELETE' })), key).toEqual(expected);
      const body = new URLSearchParams({ to: somebody() });
      expect(await told(await around.stored(key, { method: 'POST', body })), key).toEqual(expected);
      asked();
    }
    expect(await told(await around.stored(there, {}, { by: 'stranger' }))).toEqual(expected);
    expect(asked()).toEqual([1, 1]);
    expect(await told(await around.stored(there, { method: 'DELETE' }, { by: 'stranger' }))).toEqual(expected);
    expect(await told(await around.stored(`${there}/attachments/0`))).toEqual(expected);
    expect(await told(await around.stored(`${there}/attachments/x`))).toEqual(expected);
    expect((await around.stored(there)).status).toBe(200);
  });

  it('is not shown any more once its domain keeps nothing, and again when it does', async () => {
    const id = await accepted();
    await around.publishDomain({ bodiesDays: 0 });
    await vi.waitFor(async () => expect((await around.stored(id)).status).toBe(404), 5_000);
    await around.publishDomain({});
    await vi.waitFor(async () => expect((await around.stored(id)).status).toBe(200), 5_000);
  });
});

describe('removing', () => {
  const remove = (id: string, replica = 0) => around.stored(id, { method: 'DELETE' }, { replica });

  it('ends reading at once in every replica, and for good; who waits for the message still gets it', async () => {
    const id = await accepted();
    expect((await around.stored(id, {}, { replica: 1 })).status).toBe(200);
    const answer = await remove(id);
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'Message has been deleted' }]);
    expect((await around.stored(id, {}, { replica: 1 })).status).toBe(404);
    expect((await remove(id)).status).toBe(404);
    const { drop_at: dropAt } = await row(id);
    // The vault is told: of all readers it answers delivery alone, until privacy destroys the key.
    await vi.waitFor(() => expect(around.vault.ingest.contentKey(id, dropAt)).rejects.toEqual(forgotten), 5_000);
    await vi.waitFor(async () => expect((await row(id)).stored).toBe('condemned'), 5_000);
    expect((await asSent(id)).length).toBeGreaterThan(0);
    const kept = await accepted();
    expect((await asSent(kept)).length).toBeGreaterThan(0);
    expect((await row(kept)).stored).toBe('readable');
  });

  it('is done once, however many ask at once', async () => {
    const id = await accepted();
    const answers = await Promise.all([0, 1, 0, 1, 0].map((replica) => remove(id, replica)));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '404', '404', '404', '404']);
  });

  it('is not forgotten by a vault that was away or a process that died, and waits until Kafka has the message', async () => {
    const id = await accepted();
    const { drop_at: dropAt } = await row(id);
    await vi.waitFor(async () => {
      const { rowCount } = await around.database.query('select from outbox where id = $1', [id]);
      expect(rowCount).toBe(0);
    }, 5_000);
    await around.database.query(
      `insert into outbox (id, records, created_at) values ($1, '[]', now() + interval '1 hour')`,
      [id],
    );
    expect((await remove(id)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await row(id)).stored).toBe('removed');
    expect((await around.vault.ingest.contentKey(id, dropAt)).length).toBe(32);
    const tries = around.apps.map((app) =>
      vi.spyOn(app.get(Vault, { strict: false }), 'condemnContentKeys').mockRejectedValueOnce(new Error('killed')),
    );
    await around.database.query('delete from outbox where id = $1', [id]);
    await vi.waitFor(() => expect(around.vault.ingest.contentKey(id, dropAt)).rejects.toEqual(forgotten), 5_000);
    expect(tries.some((spy) => spy.mock.calls.length > 1)).toBe(true);
    await vi.waitFor(async () => expect((await row(id)).stored).toBe('condemned'), 2_000);
  });
});

describe('sending a stored message again', () => {
  const resend = (id: string, body: BodyInit) => around.stored(id, { method: 'POST', body });

  it('is a new message with its content, to whom the form says', async () => {
    const id = await accepted({ subject: 'Again', text: 'Hello there.', to: 'Ben <ben@world.example>' });
    const [first, second] = [somebody(), somebody()];
    const submissions = acceptedBy(around.apps[0]);
    const answer = await resend(id, new URLSearchParams({ to: `${first}, Second <${second}>`, 'o:tag': 'again' }));
    expect(answer.status).toBe(200);
    const body = await answer.json();
    expect(body).toEqual({ id: expect.stringMatching(/^<[^<>@]+@sender\.example>$/), message: 'Queued. Thank you.' });
    const [submission] = submissions;
    expect(submission).toMatchObject({
      recipients: [
        { address: first, role: 'bcc' },
        { address: second, role: 'bcc' },
      ],
      subject: 'Again',
      tags: ['again'],
      method: 'http',
    });
    const made = await latest();
    expect(made).not.toBe(id);
    const [before, after] = [await json(id), await json(made)];
    expect(`<${submission?.messageIdHeader}>`).toBe(body.id);
    expect(after['Message-Id']).toBe(body.id);
    expect(before['Message-Id']).not.toBe(body.id);
    expect(after['message-headers'].filter(([name]: [string]) => name.toLowerCase() === 'message-id')).toHaveLength(1);
    expect(after['recipients']).toBe(`${first}, ${second}`);
    expect(before['recipients']).toBe('ben@world.example');
    for (const name of ['from', 'To', 'subject', 'body-plain', 'Date']) expect(after[name]).toBe(before[name]);
    // The one is removed, the other stays.
    expect((await around.stored(id, { method: 'DELETE' })).status).toBe(200);
    expect((await json(made))['body-plain']).toBe(before['body-plain']);
  });

  it.each([
    ['without recipients', new URLSearchParams({ subject: 'x' }), 400, `'to' parameter is missing`],
    ['to what is no address', new URLSearchParams({ to: 'nobody' }), 400, `'to' parameter is not valid`],
    ['with an option nobody knows', new URLSearchParams({ to: 'a@b.example', 'o:else': '1' }), 400, `'o:else'`],
    ['as JSON', JSON.stringify({ to: 'a@b.example' }), 400, 'multipart/form-data'],
    ['to more than may be', new URLSearchParams({ to: Array.from({ length: 1_001 }, somebody).join() }), 400, `'to'`],
    [
      'with more than a list of recipients',
      new URLSearchParams({ to: 'a@b.example', x: 'x'.repeat(2 * MIB) }),
      413,
      '',
    ],
  ])('%s is refused by name', async (_, body, status, message) => {
    const answer = await resend(await accepted(), body);
    expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([
      status,
      expect.stringContaining(message),
    ]);
  });

  it('is not shown any more once somebody is erased whom it names, though it was not sent to them', async () => {
    const [first, second] = [somebody(), somebody()];
    const id = await accepted({ to: `First <${first}>` });
    expect((await resend(id, new URLSearchParams({ to: second }))).status).toBe(200);
    const copy = await latest();
    expect((await json(copy))['To']).toContain(first);
    const holder = around.apps[0].get(PersonalDataHolder, { strict: false });
    const { removed } = await holder.erase(around.scope(await around.subjectOf(first)));
    expect(removed).toEqual({ recipient: 1, mention: 1, message: 1, body: 1 });
    await vi.waitFor(async () => expect((await around.stored(copy)).status).toBe(404), 2_000);
    expect((await asSent(copy)).length).toBeGreaterThan(0);
  });

  it('does not take a file for the message', async () => {
    const id = await accepted({ text: 'the stored one' });
    const body = new FormData();
    body.set('to', somebody());
    body.set('message', new Blob(['From: x@y.example\r\n\r\nanother']), 'message.mime');
    expect((await resend(id, body)).status).toBe(200);
    expect((await json(await latest()))['body-plain'].trim()).toBe('the stored one');
  });
});
