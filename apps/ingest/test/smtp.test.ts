import { randomUUID } from 'node:crypto';
import { openBody } from '@lethe/bodies';
import type { MailAccepted } from '@lethe/contracts';
import { hashPassword, newPassword } from '@lethe/service';
import { selfSignedCertificate, SmtpClient } from '@lethe/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Submission } from '../src/accept/submission.ts';
import { LoginBackoff } from '../src/login/login.backoff.ts';
import { SmtpListener } from '../src/smtp/smtp.listener.ts';
import { acceptedBy, committedBy, holdCommits, waitingForLocks } from './support/obstacles.ts';
import { smtpSettings } from './support/smtp.settings.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const FROM = 'app@sender.example';
const TO = 'someone@world.example';
const BOB = 'bob@sender.example';
const CHOSEN = 'correct horse battery';
const made = newPassword();

/** STARTTLS, TLS. */
type Ports = [number, number];

const smtp = smtpSettings();
let around: Surroundings;
let bob: { id: string; credential: string };
let robot: typeof bob;
let ports: Ports;
/** What went into the accept path of the first replica, as it is. */
let submissions: Submission[];
/** What it committed for delivery. */
let records: MailAccepted[];
const clients: SmtpClient[] = [];

const kept = (client: SmtpClient): SmtpClient => (clients.push(client), client);
const dial = async (port: number, options = {}) => kept(await SmtpClient.connect(port, options));
const signedIn = async (port = ports[1], login = BOB, password = CHOSEN) =>
  kept(await SmtpClient.signedIn(port, login, password));
const messages = async (): Promise<number> =>
  Number((await around.database.query('select count(*) from message')).rows[0].count);

function text(...header: string[]): string {
  return ['From: App <app@sender.example>', `To: ${TO}`, 'Subject: Hello', ...header, '', 'Good day.'].join('\r\n');
}

beforeAll(async () => {
  around = await surroundings(inject('stores'), smtp.settings);
  [bob, robot] = [
    await around.smtpCredential('bob', await hashPassword(CHOSEN)),
    await around.smtpCredential('robot', made.hash),
  ];
  await around.publishDomain({ smtpCredentials: [bob, robot] });
  const app = await around.replica();
  ports = app.get(SmtpListener).ports as Ports;
  submissions = acceptedBy(app);
  records = committedBy(app);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});
afterAll(async () => {
  await around?.close();
  smtp.remove();
});

describe('a session', () => {
  it('is offered AUTH only in TLS, and may do nothing before it has signed in', async () => {
    const client = await dial(ports[0]);
    expect((await client.reply()).text).toBe('220 smtp.lethe.example ESMTP');
    const before = await client.command('EHLO client.example');
    expect(before.text).toMatch(/STARTTLS/);
    expect(before.text).not.toMatch(/AUTH/);
    expect((await client.signIn(BOB, CHOSEN)).code).toBe(538);
    expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(530);
    await client.startTls();
    const after = await client.command('EHLO client.example');
    for (const offer of [
      'AUTH PLAIN LOGIN',
      'PIPELINING',
      '8BITMIME',
      'SMTPUTF8',
      'SIZE 26214400',
      'ENHANCEDSTATUSCODES',
      'DSN',
    ]) {
      expect(after.text).toContain(offer);
    }
    expect(after.text).not.toMatch(/STARTTLS|REQUIRETLS|CHUNKING/);
    for (const command of [`MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA']) {
      expect((await client.command(command)).code).toBe(530);
    }
    expect((await client.signIn(BOB, CHOSEN)).code).toBe(235);
  });

  it.each([
    ['STARTTLS, a chosen password', 0, BOB, CHOSEN],
    ['TLS, a made one', 1, 'Robot@Sender.Example', made.password],
  ])('over %s hands a message in, durable when it is answered', async (_, index, login, password) => {
    const client = await dial(ports[index], { tls: index === 1 });
    await client.reply();
    if (index === 0) {
      await client.command('EHLO client.example');
      await client.startTls();
    }
    await client.command('EHLO client.example');
    expect((await client.command('AUTH LOGIN')).code).toBe(334);
    expect((await client.command(Buffer.from(login).toString('base64'))).code).toBe(334);
    expect((await client.command(Buffer.from(password).toString('base64'))).code).toBe(235);
    const id = `${randomUUID()}@sender.example`;
    expect((await client.envelope(FROM, TO, 'blind@world.example')).code).toBe(354);
    const reply = await client.data(`${text(`Message-ID: <${id}>`)}\r\n..stuffed`);
    expect(reply).toEqual({ code: 250, text: `250 2.6.0 queued as <${id}>` });

    const { rows } = await around.database.query('select * from message order by id desc limit 1');
    const [row] = rows;
    expect(row).toMatchObject({
      method: 'smtp',
      key_id: index === 0 ? bob.id : robot.id,
      account_id: around.accountId,
    });
    const key = await around.vault.delivery.contentKey(row.id, row.drop_at);
    const body = openBody(key, row.id, await around.bodies.read(row.id, row.drop_at)).toString();
    expect(body.split('\r\n\r\n')[1]).toBe('Good day.\r\n.stuffed\r\n');
    const recipients = await around.database.query(
      'select role from message_recipient where message_id = $1 order by ordinal',
      [row.id],
    );
    expect(recipients.rows).toEqual([{ role: 'to' }, { role: 'bcc' }]);
    expect((await client.command('QUIT')).code).toBe(221);
  });

  it('is answered after the commit, not before', async () => {
    const client = await signedIn();
    await client.envelope(FROM, TO);
    const lift = await holdCommits(around.database);
    let isAnswered = false;
    const answered = client.data(text()).finally(() => (isAnswered = true));
    try {
      await waitingForLocks(around.database, 1);
      expect(isAnswered).toBe(false);
    } finally {
      await lift();
    }
    expect((await answered).code).toBe(250);
  });

  it('takes several messages, pipelined', async () => {
    const client = await signedIn();
    const before = await messages();
    for (let nth = 0; nth < 2; nth++) {
      client.write(`MAIL FROM:<${FROM}> BODY=8BITMIME\r\nRCPT TO:<${TO}>\r\nRCPT TO:<no address>\r\nDATA\r\n`);
    }
    const codes = [];
    for (let nth = 0; nth < 4; nth++) codes.push((await client.reply()).code);
    expect(codes).toEqual([250, 250, 501, 354]);
    // The second transaction's commands are content now: only the first is answered.
    client.write('\r\n.\r\n');
    expect((await client.reply()).code).toBe(250);
    expect(await messages()).toBe(before + 1);
  });
});

describe('one way to accept', () => {
  it('X-Mailgun headers do what the form’s options do, and go', async () => {
    const variables = { order: '7', who: { city: 'Zürich' } };
    const options = [
      'X-Mailgun-Tag: one',
      'X-Mailgun-Tag: Two',
      'X-Mailgun-Dkim: no',
      'X-Mailgun-Require-TLS: yes',
      'X-Mailgun-Drop-Message: yes',
      'X-Mailgun-Track: no',
      `X-Mailgun-Variables: ${JSON.stringify(variables)}`,
    ];
    const plain = text('Message-ID: <same@sender.example>', 'Date: Sat, 28 Nov 2026 10:00:00 +0000');
    const client = await signedIn();
    await client.envelope(FROM, TO);
    expect((await client.data(`Bcc: hidden@world.example\r\n${options.join('\r\n')}\r\n${plain}`)).code).toBe(250);
    const bySmtp = submissions.at(-1) as Submission;
    const answer = await around.sendMime({
      to: TO,
      message: `${plain}\r\n`,
      'o:tag': ['one', 'Two'],
      'o:dkim': 'no',
      'o:require-tls': 'yes',
      'o:testmode': 'yes',
      'o:tracking': 'no',
      'v:order': '7',
      'v:who': JSON.stringify(variables.who),
    });
    expect(answer.status).toBe(200);
    const byHttp = submissions.at(-1) as Submission;
    expect(bySmtp).toMatchObject({
      method: 'smtp',
      keyId: bob.id,
      originatingIp: '127.0.0.1',
      testMode: true,
      dkim: false,
    });
    expect({ ...bySmtp, raw: bySmtp.raw.toString(), method: '', keyId: '', originatingIp: '' }).toEqual({
      ...byHttp,
      raw: byHttp.raw.toString(),
      method: '',
      keyId: '',
      originatingIp: '',
    });
  });

  it.each([
    ['X-Mailgun-Dkim: perhaps', `'X-Mailgun-Dkim' must be yes or no`],
    ['X-Mailgun-Variables: {', `'X-Mailgun-Variables' must be a JSON object`],
    ['X-Mailgun-Deliver-By: tomorrow', `'X-Mailgun-Deliver-By' must be an RFC 2822 date or epoch seconds`],
    ['X-Mailgun-Recipient-Variables: {"a": {}}', `'X-Mailgun-Recipient-Variables' has a key that is not an address`],
  ])('what is wrong is named and permanent: %s', async (header, reason) => {
    const client = await signedIn();
    const before = await messages();
    await client.envelope(FROM, TO);
    expect(await client.data(text(header))).toEqual({ code: 554, text: `554 5.6.0 ${reason}` });
    expect(await messages()).toBe(before);
    expect((await client.envelope(FROM, TO)).code).toBe(354);
  });

  it('that nobody is to hear of a bounce goes along, and is said of that message alone', async () => {
    const client = await signedIn();
    const before = records.length;
    for (const from of ['', FROM]) {
      expect((await client.envelope(from, TO, 'b@world.example')).code).toBe(354);
      expect((await client.data(text())).code).toBe(250);
    }
    const said = records.slice(before).map((record) => ('nullSender' in record ? record.nullSender : 'absent'));
    expect(said).toEqual([true, true, 'absent', 'absent']);
  });

  it('addresses in UTF-8 need SMTPUTF8', async () => {
    const client = await signedIn();
    await client.command(`MAIL FROM:<${FROM}>`);
    expect((await client.command('RCPT TO:<jürgen@bücher.example>')).text).toMatch(/^553 5\.6\.7 /);
    await client.command('RSET');
    expect((await client.command(`MAIL FROM:<${FROM}> SMTPUTF8`)).code).toBe(250);
    client.write(Buffer.from('RCPT TO:<j\xfcrgen@world.example>\r\n', 'latin1'));
    expect((await client.reply()).text).toMatch(/^553 5\.1\.3 /);
    expect((await client.command('RCPT TO:<jürgen@bücher.example>')).code).toBe(250);
    await client.command('DATA');
    expect((await client.data(text())).code).toBe(250);
    expect(submissions.at(-1)?.recipients[0]?.address).toBe('jürgen@xn--bcher-kva.example');
  });
});

describe('a certificate that is replaced', () => {
  /** What a client is shown in its handshake. */
  const shown = async (tls: boolean): Promise<string> => {
    const client = await dial(ports[tls ? 1 : 0], { tls });
    await client.reply();
    if (!tls) {
      await client.command('EHLO client.example');
      await client.startTls();
    }
    return client.certificateName;
  };

  it('is shown by both ports without a restart, and open sessions go on', async () => {
    const open = await signedIn();
    const next = selfSignedCertificate(['renewed.lethe.example']);
    smtp.replace(next.certificate, selfSignedCertificate(['other.example']).key);
    expect([await shown(true), await shown(false)]).toEqual(['smtp.lethe.example', 'smtp.lethe.example']);
    smtp.replace(next.certificate, next.key);
    await vi.waitFor(async () => expect(await shown(true)).toBe('renewed.lethe.example'), 5_000);
    expect(await shown(false)).toBe('renewed.lethe.example');
    await open.envelope(FROM, TO);
    expect((await open.data(text())).code).toBe(250);
  });
});

describe('what RFC 3461 lets a sender ask for', () => {
  it('is taken, and changes nothing', async () => {
    const client = await signedIn();
    expect((await client.command(`MAIL FROM:<${FROM}> RET=hdrs ENVID=QQ+2B314`)).code).toBe(250);
    expect(
      (await client.command(`RCPT TO:<${TO}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;some+2Bone@old.example`)).code,
    ).toBe(250);
    expect((await client.command('RCPT TO:<b@world.example> NOTIFY=NEVER')).code).toBe(250);
    await client.command('DATA');
    expect(
      (await client.data(text('Message-ID: <dsn@sender.example>', 'Date: Sat, 28 Nov 2026 10:00:00 +0000'))).code,
    ).toBe(250);
    const asked = submissions.at(-1) as Submission;
    await client.envelope(FROM, TO, 'b@world.example');
    await client.data(text('Message-ID: <dsn@sender.example>', 'Date: Sat, 28 Nov 2026 10:00:00 +0000'));
    expect(asked).toEqual(submissions.at(-1));
    expect(JSON.stringify({ ...asked, raw: asked.raw.toString() })).not.toMatch(/old.example|QQ/);
  });

  it.each([
    ['RET=ALL', ''],
    ['RET=', ''],
    ['RET=FULL RET=FULL', ''],
    [`ENVID=${'x'.repeat(101)}`, ''],
    ['ENVID=a+0D+0Ab', ''],
    ['ENVID=für', ''],
    ['', 'NOTIFY=NEVER,FAILURE'],
    ['', 'NOTIFY=SOMETIMES'],
    ['', 'NOTIFY='],
    ['', 'ORCPT=someone@world.example'],
    ['', `ORCPT=rfc822;${'x'.repeat(500)}`],
    ['', 'ORCPT=utf-8;für@world.example'],
  ])('is refused when it is not well-formed: %s%s', async (mail, rcpt) => {
    const client = await signedIn();
    const { code } = await client.command(`MAIL FROM:<${FROM}> ${mail}`);
    expect(rcpt === '' ? code : (await client.command(`RCPT TO:<${TO}> ${rcpt}`)).code).toBe(501);
  });
});

describe('who may send', () => {
  it.each(['other.example', 'sub.sender.example', 'example'])('not as %s', async (domain) => {
    const client = await signedIn();
    expect((await client.command(`MAIL FROM:<x@${domain}>`)).text).toMatch(/^553 5\.7\.1 MAIL FROM /);
    expect((await client.command(`RCPT TO:<${TO}>`)).code).toBe(503);
  });

  it('notifications have no sender; unknown parameters are refused', async () => {
    const client = await signedIn();
    expect((await client.command(`MAIL FROM:<${FROM}> NONSENSE=1`)).code).toBe(555);
    expect((await client.command('MAIL FROM:<>')).code).toBe(250);
    expect((await client.command(`RCPT TO:<${TO}> RRVS=2014-04-03T23:01:00Z`)).code).toBe(555);
    expect((await client.command('RCPT TO:<someone@localhost>')).text).toMatch(/^553 5\.1\.3 RCPT TO is not valid: /);
  });

  it('a revoked login, or a changed password, ends open sessions, too', async () => {
    const client = await signedIn(ports[1], 'robot@sender.example', made.password);
    expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(250);
    await client.command('RSET');
    const changed = await around.smtpCredential('bob', made.hash, bob.id);
    await around.publishDomain({ smtpCredentials: [changed] });
    await vi.waitFor(async () => {
      await client.command('RSET');
      expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(530);
    }, 5_000);
    for (const [login, password, code] of [
      ['robot@sender.example', made.password, 535],
      [BOB, CHOSEN, 535],
      [BOB, made.password, 235],
    ] as const) {
      const other = await dial(ports[1], { tls: true, from: '127.0.0.9' });
      await other.reply();
      await other.command('EHLO client.example');
      expect((await other.signIn(login, password)).code).toBe(code);
    }
    await around.publishDomain({ smtpCredentials: [bob, robot] });
    await vi.waitFor(() => signedIn(), 5_000);
  });

  it('a domain that is disabled sends nothing', async () => {
    const client = await signedIn();
    await around.publishDomain({ smtpCredentials: [bob, robot], state: 'disabled' });
    await vi.waitFor(async () => {
      await client.command('RSET');
      expect(await client.command(`MAIL FROM:<${FROM}>`)).toEqual({
        code: 550,
        text: '550 5.7.1 The domain is disabled',
      });
    }, 5_000);
    await around.publishDomain({ smtpCredentials: [bob, robot] });
    await vi.waitFor(async () => {
      await client.command('RSET');
      expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(250);
    }, 5_000);
  });
});

describe('guessing', () => {
  const attempt = async (from: string, login: string, password: string) => {
    const client = await dial(ports[1], { tls: true, from });
    await client.reply();
    await client.command('EHLO client.example');
    const reply = await client.signIn(login, password);
    client.end();
    return reply;
  };

  it('a session has three attempts', async () => {
    const client = await dial(ports[1], { tls: true, from: '127.0.0.21' });
    await client.reply();
    await client.command('EHLO client.example');
    expect((await client.signIn('nobody@sender.example', 'wrong')).text).toMatch(/^535 5\.7\.8 /);
    expect((await client.signIn(BOB, 'wrong')).code).toBe(535);
    expect((await client.signIn(BOB, '')).code).toBe(421);
    await client.closed(10_000);
  });

  it('an address has to wait then, also with a right password, unless that was right before', async () => {
    const fresh = await around.smtpCredential('fresh', await hashPassword(CHOSEN));
    await around.publishDomain({ smtpCredentials: [bob, robot, fresh] });
    const [guesser, other] = ['127.0.0.22', '127.0.0.23'];
    expect((await attempt(other, BOB, CHOSEN)).code).toBe(235);
    for (let nth = 0; nth < 4; nth++) await attempt(guesser, `nobody${nth}@sender.example`, 'wrong');
    // A wait of a second could be over before the next line; after as many as these it takes minutes.
    const backoff = around.apps[0]?.get(LoginBackoff);
    for (let nth = 0; nth < 8; nth++) backoff?.failed(guesser);
    for (const login of ['nobody@sender.example', 'fresh@sender.example']) {
      expect(await attempt(guesser, login, CHOSEN)).toEqual({
        code: 454,
        text: '454 4.7.0 too many failed logins: try again later',
      });
    }
    expect((await attempt(guesser, BOB, CHOSEN)).code).toBe(235);
    expect((await attempt(guesser, BOB, 'wrong')).code).toBe(454);
    expect((await attempt(other, 'fresh@sender.example', CHOSEN)).code).toBe(235);
    // Once more from where it had to wait: it was right before.
    expect((await attempt(guesser, 'fresh@sender.example', CHOSEN)).code).toBe(235);
  });

  it('nobody signs in to act for another', async () => {
    const client = await dial(ports[1], { tls: true, from: '127.0.0.24' });
    await client.reply();
    await client.command('EHLO client.example');
    const token = Buffer.from(`robot@sender.example\0${BOB}\0${CHOSEN}`).toString('base64');
    expect((await client.command(`AUTH PLAIN ${token}`)).code).toBe(535);
  });
});
