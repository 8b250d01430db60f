import { newPassword } from '@lethe/service';
import { SmtpClient, until } from '@lethe/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Submission } from '../src/accept/submission.ts';
import { SmtpListener } from '../src/smtp/smtp.listener.ts';
import { acceptedBy, holdCommits, waitingForLocks } from './support/obstacles.ts';
import { smtpSettings } from './support/smtp.settings.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const FROM = 'app@sender.example';
const TO = 'someone@world.example';
const LOGIN = 'robot@sender.example';
const made = newPassword();
const HEADER = `From: ${FROM}\r\nTo: ${TO}\r\nSubject: Hello\r\n\r\n`;
const MIB = 1024 * 1024;

/** STARTTLS, TLS. */
type Ports = [number, number];

const smtp = smtpSettings();
let around: Surroundings;
let ports: Ports;
let accepted: Submission[];
const clients: SmtpClient[] = [];

const kept = (client: SmtpClient): SmtpClient => (clients.push(client), client);
const portsOf = (app: NestFastifyApplication): Ports => app.get(SmtpListener).ports as Ports;
const signedIn = async (of = ports) => kept(await SmtpClient.signedIn(of[1], LOGIN, made.password));

beforeAll(async () => {
  around = await surroundings(inject('stores'), smtp.settings);
  await around.publishDomain({ smtpCredentials: [await around.smtpCredential('robot', made.hash)] });
  const app = await around.replica();
  ports = portsOf(app);
  accepted = acceptedBy(app);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});
afterAll(async () => {
  await around?.close();
  smtp.remove();
});

describe('smuggling', () => {
  const second = `MAIL FROM:<smuggled@sender.example>\r\nRCPT TO:<victim@world.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx`;

  /** Sends one message with something in it that another server could take for its end; what follows is its content, or nothing. */
  async function smuggle(octets: string | Buffer, write = (client: SmtpClient, all: Buffer) => client.write(all)) {
    const client = await signedIn();
    await client.envelope(FROM, TO);
    accepted.length = 0;
    write(client, Buffer.concat([Buffer.from(octets), Buffer.from('\r\n.\r\nNOOP\r\n')]));
    const reply = await client.reply();
    // In the order of the commands: any reply between would be to a smuggled one.
    expect(await client.reply()).toEqual({ code: 250, text: '250 2.0.0 OK' });
    expect(client.hasReply).toBe(false);
    return reply;
  }

  it.each([
    ['\n.\n', 250],
    ['\n.\r\n', 250],
    ['\r\n.\n', 250],
    ['\r.\r', 554],
    ['\r\n.\r', 554],
    ['\r.\r\n', 554],
    ['\n.\r', 554],
    ['\r.\n', 554],
    ['\r\r\n.\r\r\n', 554],
    ['\r\n\0.\r\n', 554],
    ['\r\n.\0\r\n', 554],
    ['\0', 554],
    ['a\rb', 554],
    ['\r\n..\r\n', 250],
    ['\r\n. \r\n', 250],
    ['\r\n.\t\r\n', 250],
  ])('%j ends no message', async (variant, code) => {
    const reply = await smuggle(`${HEADER}one${variant}${second}`);
    expect(reply.code).toBe(code);
    if (code === 554) {
      expect(reply.text).toMatch(/^554 5\.6\.0 'message' parameter is not valid: the message holds a (NUL|CR) /);
      expect(accepted).toEqual([]);
      return;
    }
    expect(accepted).toHaveLength(1);
    const [only] = accepted;
    expect(only?.recipients.map(({ address }) => address)).toEqual([TO]);
    const raw = only?.raw.toString('latin1') ?? '';
    expect(raw).toContain('RCPT TO:<victim@world.example>\r\n');
    expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it.each([
    ['a stuffed dot as the first line', '..\r\nMAIL FROM:<smuggled@sender.example>\r\n'],
    ['an LF before the dot', `${HEADER}a\n.\r\nMAIL FROM:<smuggled@sender.example>\r\n`],
    ['an LF after it', `${HEADER}a\r\n.\nMAIL FROM:<smuggled@sender.example>\r\n`],
  ])('octet by octet, too: %s', async (_, octets) => {
    await smuggle(octets, (client, all) => {
      for (const octet of all) client.write(Buffer.from([octet]));
    });
    expect(accepted.length).toBeLessThanOrEqual(1);
    expect(accepted[0]?.recipients).toHaveLength(1);
  });

  it('what is pipelined after STARTTLS is thrown away', async () => {
    const client = kept(await SmtpClient.connect(ports[0]));
    await client.reply();
    await client.command('EHLO client.example');
    client.write(`STARTTLS\r\nEHLO injected.example\r\nRSET\r\nMAIL FROM:<${FROM}>\r\n`);
    expect((await client.reply()).code).toBe(220);
    await client.handshake();
    // Who was greeted before TLS is forgotten (RFC 3207 §4.2), and nothing of it is answered.
    expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(503);
    expect((await client.command('EHLO client.example')).text).toContain('AUTH');
    expect((await client.signIn(LOGIN, made.password)).code).toBe(235);
    expect((await client.command(`RCPT TO:<${TO}>`)).code).toBe(503);
    expect(client.hasReply).toBe(false);
  });
});

describe('bounds', () => {
  it('a message over the size is refused, said or found out, and the session goes on', async () => {
    const of = portsOf(await around.replica({ MESSAGE_MAX_BYTES: String(MIB) }));
    const client = await signedIn(of);
    expect((await client.command(`MAIL FROM:<${FROM}> SIZE=${MIB + 1}`)).code).toBe(552);
    await client.envelope(FROM, TO);
    const reply = await client.data(`${HEADER}${'x'.repeat(MIB)}`);
    expect(reply).toEqual({ code: 552, text: `552 5.3.4 the message is larger than ${MIB} octets` });
    await client.envelope(FROM, TO);
    expect((await client.data(`${HEADER}x`)).code).toBe(250);
  });

  it('memory is shared and bounded: what finds none is to come again', async () => {
    const of = portsOf(await around.replica({ BYTES_IN_FLIGHT: String(MIB) }));
    const [first, second] = [await signedIn(of), await signedIn(of)];
    await first.command(`MAIL FROM:<${FROM}> SIZE=200000`);
    await first.command(`RCPT TO:<${TO}>`);
    await first.command('DATA');
    await second.envelope(FROM, TO);
    const large = `${HEADER}${'x'.repeat(300_000)}`;
    const refused = { code: 451, text: '451 4.3.0 too many messages are being accepted: try again' };
    expect(await second.data(large)).toEqual(refused);
    expect((await first.data(`${HEADER}x`)).code).toBe(250);
    await second.envelope(FROM, TO);
    expect((await second.data(large)).code).toBe(250);
  });

  it('sessions are counted over both ports', async () => {
    const of = portsOf(await around.replica({ SMTP_SESSIONS: '2' }));
    for (const port of of) {
      const client = kept(await SmtpClient.connect(port, { tls: port === of[1] }));
      expect((await client.reply()).code).toBe(220);
    }
    const third = kept(await SmtpClient.connect(of[0]));
    expect((await third.reply()).code).toBe(421);
    await third.closed(10_000);
    clients[0]?.end();
    const again = async (): Promise<boolean> => (await kept(await SmtpClient.connect(of[0])).reply()).code === 220;
    expect(await until(again, 10_000)).toBe(true);
  });

  it('refusals are counted', async () => {
    const client = await signedIn();
    const codes = [];
    for (let nth = 0; nth < 100; nth++) codes.push((await client.command('MAIL FROM:<x@other.example>')).code);
    expect(new Set(codes)).toEqual(new Set([553]));
    expect((await client.reply()).code).toBe(421);
    await client.closed(10_000);
  });

  describe('time', () => {
    let slow: Ports;
    beforeAll(async () => {
      slow = portsOf(await around.replica({ SMTP_LOGIN_MS: '1500', SMTP_DATA_MS: '1500', SMTP_IDLE_MS: '60000' }));
    });

    /** An octet now and then, until the server has had enough. */
    async function trickle(client: { write(octets: string): void }, done: () => boolean, octet = 'x'): Promise<number> {
      const began = performance.now();
      while (!done() && performance.now() - began < 20_000) {
        client.write(octet);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return performance.now() - began;
    }

    it('whoever does not sign in is dropped, however busy', async () => {
      const client = kept(await SmtpClient.connect(slow[0]));
      await client.reply();
      expect(await trickle(client, () => client.hasReply)).toBeLessThan(15_000);
      expect((await client.reply()).code).toBe(421);
      await client.closed(10_000);
    });

    it.each([0, 1])('… or does not finish its handshake: port %d', async (index) => {
      const client = kept(await SmtpClient.connect(slow[index]));
      if (index === 0) {
        await client.reply();
        await client.command('EHLO client.example');
        await client.command('STARTTLS');
      }
      // The head of a record with a ClientHello of 16 KiB, which would take a quarter of an hour.
      client.write(Buffer.from([0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc, 0x03, 0x03]));
      const took = await trickle(client, () => client.isClosed);
      expect(took).toBeGreaterThan(1_000);
      expect(took).toBeLessThan(18_000);
    });

    it('… or whose message never ends', async () => {
      const client = await signedIn(slow);
      await client.envelope(FROM, TO);
      expect(await trickle(client, () => client.hasReply)).toBeLessThan(15_000);
      expect((await client.reply()).code).toBe(421);
      await client.closed(10_000);
    });
  });
});

describe('our own trouble is temporary', () => {
  it.each([
    ['the disk is full', '53100'],
    ['the database goes down', '57P01'],
    ['something is wrong that nobody has thought of', '42703'],
  ])('%s', async (_, state) => {
    await around.database.query(`
      create function fail() returns trigger language plpgsql as $$
        begin raise exception 'of someone@world.example' using errcode = '${state}'; end $$;
      create trigger fail before insert on message for each row execute function fail()`);
    try {
      const client = await signedIn();
      await client.envelope(FROM, TO);
      const reply = await client.data(`${HEADER}x`);
      expect(reply.code).toBe(451);
      expect(reply.text).not.toContain('someone');
    } finally {
      await around.database.query('drop trigger fail on message; drop function fail()');
    }
    const client = await signedIn();
    await client.envelope(FROM, TO);
    expect((await client.data(`${HEADER}x`)).code).toBe(250);
  });

  it('the vault is away', async () => {
    const client = await signedIn();
    await client.envelope(FROM, TO);
    await around.deafened(async () => {
      expect(
        await until(async () => {
          const { code } = await client.data(`${HEADER}x`);
          await client.envelope(FROM, TO);
          return code === 451;
        }, 10_000),
      ).toBe(true);
    });
  });

  it('a stop waits for the message whose answer is not out', async () => {
    const app = await around.replica();
    const of = portsOf(app);
    const [busy, idle] = [await signedIn(of), await signedIn(of)];
    await busy.envelope(FROM, TO);
    const lift = await holdCommits(around.database);
    let isAnswered = false;
    const answered = busy.data(`${HEADER}x`).finally(() => (isAnswered = true));
    await waitingForLocks(around.database, 1);
    const stopped = around.stop(app);
    expect((await idle.reply()).code).toBe(421);
    expect(isAnswered).toBe(false);
    await lift();
    expect((await answered).code).toBe(250);
    await stopped;
    await expect(SmtpClient.connect(of[0])).rejects.toThrow();
  });
});
