import { describe, expect, it } from 'vitest';
import { composeMessage } from '../compose/compose.ts';
import { normaliseMessage } from '../message/normalise.ts';
import { splitMessage } from '../message/header.ts';
import { scanMime } from '../mime/scan.ts';
import { viewMail } from '../view/view.ts';
import { EACH_RECIPIENT, MailMerge } from './merge.ts';
import { fillIn, fillInJson } from './placeholders.ts';

const bob = {
  address: 'bob@b.example',
  name: 'Bob Größe',
  variables: { city: 'Zürich', id: 7, deep: { a: [1] }, none: null },
};
const mime = (text: string): Buffer => {
  const normal = normaliseMessage(Buffer.from(text));
  if (!normal.ok) throw new Error(normal.refusal.reason);
  return normal.value;
};
const header = (raw: Buffer, name: string): string =>
  viewMail(raw).headers.find(([one]) => one.toLowerCase() === name)?.[1] ?? '';

async function composed(more: object): Promise<Buffer> {
  const message = await composeMessage({
    from: { address: 'ann@a.example', name: 'Ann' },
    to: [EACH_RECIPIENT],
    subject: 'Hello %recipient.city%',
    text: 'From %recipient.city%, no. %recipient.id%\n',
    date: new Date(0),
    messageId: '<1@a.example>',
    ...more,
  });
  if (!message.ok) throw new Error(message.refusal.reason);
  return message.value.raw;
}

describe('links to unsubscribe by', () => {
  const url = 'https://mail.example/unsubscribe/a.b.c';
  const link = { address: 'bob@b.example', variables: {}, unsubscribeUrl: url };
  const shared = 'To: bob@b.example, eve@b.example\r\n';
  const body = 'Stop: %unsubscribe_url% %tag_unsubscribe_url% %mailing_list_unsubscribe_url% %recipient%';

  it('are filled in for one of several who see each other, and nothing else is', () => {
    const raw = mime(`From: a@a.example\r\n${shared}List-Unsubscribe: <%unsubscribe_url%>\r\n\r\n${body}`);
    const merge = new MailMerge(raw, 'shared');
    expect(merge.changesBody).toBe(true);
    const copy = merge.for(link);
    expect(header(copy, 'to')).toBe('bob@b.example, eve@b.example');
    expect(header(copy, 'list-unsubscribe')).toBe(`<${url}>`);
    expect(splitMessage(copy).body.toString()).toContain(`Stop: ${url} ${url} ${url} %recipient%`);
  });

  it('leave a message without them byte for byte, and stay as they stand where there is none', () => {
    const plain = mime(`From: a@a.example\r\n${shared}\r\nHello %recipient%`);
    const merge = new MailMerge(plain, 'shared');
    expect(merge.changesBody).toBe(false);
    expect(merge.for(link)).toEqual(plain);
    const raw = mime(`From: a@a.example\r\n${shared}\r\n${body}`);
    expect(splitMessage(new MailMerge(raw, 'shared').for({ ...bob })).body.toString()).toContain(body);
  });

  it('are filled in beside values, never in them', () => {
    const raw = mime('From: a@a.example\r\nTo: %recipient%\r\n\r\n%recipient.a% %unsubscribe_url%');
    const copy = new MailMerge(raw).for({ ...link, variables: { a: '%unsubscribe_url%' } });
    expect(splitMessage(copy).body.toString()).toContain(`%unsubscribe_url% ${url}`);
  });

  it('do not multiply a message', () => {
    const many = '%unsubscribe_url%\r\n'.repeat(101);
    const raw = mime(`From: a@a.example\r\n${shared}\r\n${many}`);
    expect(new MailMerge(raw, 'shared').for(link).toString()).not.toContain(url);
  });
});

describe('placeholders', () => {
  it.each([
    ['%recipient%', 'bob@b.example'],
    ['%recipient.city% and %recipient.city%', 'Zürich and Zürich'],
    ['%recipient.id%', '7'],
    ['%recipient.deep%', '{"a":[1]}'],
    ['%recipient.none%', ''],
    ['%recipient.unknown%, 100 % %recipient', '%recipient.unknown%, 100 % %recipient'],
    ['%recipient.constructor% %recipient.__proto__%', '%recipient.constructor% %recipient.__proto__%'],
    ['%recipient_name%: %recipient_fname% %recipient_lname% %recipient_email%', 'Bob Größe: Bob Größe bob@b.example'],
  ])('%s', (text, filled) => expect(fillIn(text, bob)).toBe(filled));

  it('fills in once: a value that looks like a placeholder is a value', () =>
    expect(fillIn('%recipient.a%', { address: 'x@y.example', variables: { a: '%recipient.b%', b: 'no' } })).toBe(
      '%recipient.b%',
    ));

  it('fills in every string of a JSON value', () =>
    expect(fillInJson({ a: ['%recipient.city%', 1, null, { '%recipient.id%': true }] }, bob)).toEqual({
      a: ['Zürich', 1, null, { '%recipient.id%': true }],
    }));
});

describe('one message as many', () => {
  it('names only whom it is for, and has their values in its header and its texts', async () => {
    const content = Buffer.from('%recipient.city%');
    const raw = await composed({
      html: '<p>%recipient.city%</p>',
      attachments: [{ filename: 'a.txt', contentType: 'text/plain', content }],
      headers: [['X-City', 'in %recipient.city%']],
    });
    const copy = new MailMerge(raw).for(bob);
    const view = viewMail(copy);
    expect(header(copy, 'to')).toBe('Bob Größe <bob@b.example>');
    expect(header(copy, 'subject')).toBe('Hello Zürich');
    expect(header(copy, 'x-city')).toBe('in Zürich');
    expect(view.plain).toBe('From Zürich, no. 7\r\n');
    expect(view.html).toBe('<p>Zürich</p>');
    expect(view.attachments[0]?.content()).toEqual(content);
    expect(splitMessage(copy).header.toString('latin1')).not.toMatch(/[^\x20-\x7e\r\n\t]/);
    expect(scanMime(copy)).toMatchObject({ ok: true });
  });

  it('leaves what has no placeholder byte for byte', async () => {
    const raw = await composed({ subject: 'x', text: 'nothing here', html: '<p>%recipient.id%</p>' });
    const copy = new MailMerge(raw).for({
      address: 'x@y.example',
      variables: { id: '<p>%recipient.id%</p>'.slice(3, -4) },
    });
    expect(copy.toString()).toBe(raw.toString().replace('To: %recipient%', 'To: x@y.example'));
  });

  it('writes the To that is missing, and takes out the Cc', () => {
    const raw = mime('From: a@a.example\r\nCc: c@c.example,\r\n d@d.example\r\nSubject: s\r\n\r\nbody\r\n');
    expect(new MailMerge(raw).for({ address: 'x@y.example', variables: {} }).toString()).toBe(
      'From: a@a.example\r\nTo: x@y.example\r\nSubject: s\r\n\r\nbody\r\n',
    );
    expect(
      new MailMerge(mime('Subject: s\r\n\r\nb\r\n')).for({ address: 'x@y.example', variables: {} }).toString(),
    ).toBe('Subject: s\r\nTo: x@y.example\r\n\r\nb\r\n');
  });

  it('takes a text in any encoding and charset', () => {
    const text = (type: string, encoding: string, body: string, written: BufferEncoding = 'utf8'): Buffer =>
      Buffer.concat([
        Buffer.from(
          `Subject: =?utf-8?q?%recipient.city%?=\r\nContent-Type: text/plain; charset=${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`,
        ),
        Buffer.from(body, written),
        Buffer.from('\r\n'),
      ]);
    for (const raw of [
      text('utf-8', 'base64', Buffer.from('Grüße aus %recipient.city%').toString('base64')),
      text('iso-8859-1', '8bit', 'Grüße aus %recipient.city%', 'latin1'),
      text('utf-8', 'quoted-printable', 'Gr=C3=BC=C3=9Fe aus %re=\r\ncipient.city%'),
    ]) {
      const copy = new MailMerge(raw).for(bob);
      expect(viewMail(copy).plain.trim()).toBe('Grüße aus Zürich');
      expect(header(copy, 'subject')).toBe('Zürich');
      expect(copy.subarray(-2).toString()).toBe('\r\n');
    }
  });

  it('lets no value out of its header line', async () => {
    const evil = { address: 'x@y.example', variables: { city: 'a\r\nBcc: z@y.example\r\n\r\nbody' } };
    const { header: block } = splitMessage(new MailMerge(await composed({})).for(evil));
    expect(block.toString()).not.toMatch(/^Bcc:/m);
    expect(header(new MailMerge(await composed({})).for(evil), 'subject')).toBe('Hello a Bcc: z@y.example body');
  });

  it('fills in a mailbox what makes no other mailbox of it', () => {
    const raw = mime(
      'From: "%recipient.a%" <ann@a.example>\r\nReply-To: r+%recipient.id%@a.example\r\nSubject: %recipient.a%\r\n\r\nx\r\n',
    );
    const copy = (a: string) => new MailMerge(raw).for({ address: 'x@y.example', variables: { a, id: 7 } });
    expect(header(copy('Ann B'), 'from')).toBe('Ann B <ann@a.example>');
    expect(header(copy('Ann'), 'reply-to')).toBe('r+7@a.example');
    const evil = 'x" <ceo@bank.example>, "y';
    expect(header(copy(evil), 'from')).toBe('"%recipient.a%" <ann@a.example>');
    expect(header(copy(evil), 'subject')).toBe(evil);
  });

  it.each([
    ['each', 'From: =?utf-8?q?ceo=40bank=2Eexample=2C?= %recipient.a% <ann@a.example>'],
    ['each', 'Reply-To: =?utf-8?q?ceo=40bank=2Eexample=2C_%recipient.a%?= <ann@a.example>'],
    ['shared', 'From: =?utf-8?q?ceo=40bank=2Eexample=2C?= %unsubscribe_url% <ann@a.example>'],
  ] as const)('makes no mailbox of what a name says (%s): %s', (kind, line) => {
    const copy = new MailMerge(mime(`${line}\r\nTo: b@b.example\r\n\r\nx\r\n`), kind).for({
      address: 'x@y.example',
      variables: { a: 'Ann' },
      unsubscribeUrl: 'https://a.example/u',
    });
    const scan = scanMime(copy);
    const { from, replyTo } = (scan.ok && scan.value) || { from: [], replyTo: [] };
    expect([...from, ...replyTo].map(({ address }) => address)).toEqual(['ann@a.example']);
  });

  it('takes any character in a value', async () => {
    const odd = { address: 'x@y.example', variables: { city: 'a\u2028b\u0085c\ud800d' } };
    expect(header(new MailMerge(await composed({})).for(odd), 'subject')).toBe('Hello a b c\ufffdd');
  });

  it('lets no value out of its part', () => {
    const raw = mime(
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nDear %recipient.name%\r\n--b--\r\n',
    );
    const name = 'Bob\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>not from the sender</p>';
    const view = viewMail(new MailMerge(raw).for({ address: 'x@y.example', variables: { name } }));
    expect([view.plain, view.html]).toEqual([`Dear ${name}`, '']);
  });

  it('says how much a recipient adds before it is written', async () => {
    const merge = new MailMerge(await composed({ text: '%recipient.city%'.repeat(1000) }));
    const long = { address: 'x@y.example', variables: { city: 'x'.repeat(1016) } };
    expect(merge.growth(long)).toBe(1001 * 1000);
    expect(merge.growth({ address: 'x@y.example', variables: { city: '' } })).toBe(0);
    expect(merge.for(long).length).toBeGreaterThan(1000 * 1000);
  });
});
