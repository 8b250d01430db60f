import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePorts,
  selfSignedCertificate,
  SmtpClient,
  smtpSource,
  startSuitePlatform,
  Supervised,
  until,
  type SmtpSource,
  type SuitePlatform,
} from '@lethe/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';

const MESSAGES = Number(process.env['SMTP_SOURCE_MESSAGES'] ?? 5_000);
const SESSIONS = 20;
const MAX_SESSIONS = 40;
/** The one trusted network, and an address outside of it. */
const [INSIDE, OUTSIDE] = ['127.0.0.1', '127.0.9.9'];

interface Received {
  to: string[];
  raw: string;
}

let suite: SuitePlatform;
let ingest: Supervised;
let source: SmtpSource | null;
let port: number;
let from: string;
const folder = mkdtempSync(join(tmpdir(), 'lethe-submission-'));
const clients: SmtpClient[] = [];

beforeAll(async () => {
  source = await smtpSource();
  suite = await startSuitePlatform({ stores: inject('stores'), suite: `smtp${Date.now().toString(36)}` });
  from = `app@${suite.demo.domain}`;
  const { certificate, key } = selfSignedCertificate(['localhost']);
  writeFileSync(join(folder, 'cert.pem'), certificate);
  writeFileSync(join(folder, 'key.pem'), key);
  ({ port } = await freePorts('port'));
  // The account is known only now; its ingest starts again with a network of its own.
  const { command } = suite.platform.services.ingest;
  await suite.platform.services.ingest.stop();
  const settings = {
    SMTP_PORT: String(port),
    SMTP_TLS_CERT_FILE: join(folder, 'cert.pem'),
    SMTP_TLS_KEY_FILE: join(folder, 'key.pem'),
    SMTP_TRUSTED_NETWORKS: `${INSIDE}/32=${suite.demo.accountId}/${suite.demo.domain}`,
    SMTP_SESSIONS: String(MAX_SESSIONS),
    SMTP_LOGIN_MS: '8000',
    SMTP_DATA_MS: '8000',
  };
  ingest = new Supervised(
    { ...command, env: { ...command.env, ...settings } },
    () => undefined,
    () => undefined,
  );
  ingest.start();
  await ingest.ready(60_000);
}, 180_000);
afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});
afterAll(async () => {
  await ingest?.stop();
  await suite?.stop();
  rmSync(folder, { recursive: true });
});

/** Greeted. */
async function dial(address = INSIDE): Promise<SmtpClient> {
  const client = await SmtpClient.connect(port, { from: address });
  clients.push(client);
  await client.reply();
  await client.command('EHLO client.example');
  return client;
}

/** What was committed: before its answer, so nothing is under way once that is there. */
async function accepted(): Promise<number> {
  const client = new pg.Client({ connectionString: suite.stores.postgres.urls.ingest });
  await client.connect();
  try {
    return Number((await client.query('SELECT count(*) AS n FROM message')).rows[0].n);
  } finally {
    await client.end();
  }
}

const received = async (): Promise<Received[]> =>
  (await (await fetch(`${suite.world.http}/messages`)).json()) as Received[];
const empty = () => fetch(`${suite.world.http}/messages`, { method: 'DELETE' });

describe('smtp-source', () => {
  it(`delivers ${MESSAGES} messages of ${SESSIONS} sessions, each once`, { timeout: 600_000 }, async (context) => {
    if (source === null) return context.skip();
    const began = performance.now();
    await source.send({ port, sessions: SESSIONS, messages: MESSAGES, octets: 1_024, from, to: 'ok@world.example' });
    const took = (): string => ((performance.now() - began) / 1_000).toFixed(1);
    const acceptedAfter = took();
    expect(await accepted()).toBe(MESSAGES);
    const count = async (): Promise<number> =>
      ((await (await fetch(`${suite.world.http}/count`)).json()) as { count: number }).count;
    expect(await until(async () => (await count()) >= MESSAGES, 300_000, 200)).toBe(true);
    console.log(
      `${MESSAGES} messages, ${SESSIONS} sessions: accepted after ${acceptedAfter} s, delivered after ${took()} s`,
    );
    const all = await received();
    expect(all).toHaveLength(MESSAGES);
    expect(new Set(all.flatMap(({ to }) => to)).size).toBe(MESSAGES);
    await empty();
  });
});

describe('smuggling: what another server could take for the end of a message', () => {
  const DOTS = [
    '\n.\n',
    '\n.\r\n',
    '\n.\r',
    '\r.\r',
    '\r.\r\n',
    '\r.\n',
    '\r\n.\n',
    '\r\n.\r',
    '\r\n\0.\r\n',
    '\r\n.\0\r\n',
  ];
  const VARIANTS = [
    ...DOTS,
    '\r\r\n.\r\r\n',
    '\r\n.\r\r\n',
    '\n\r.\r\n',
    '\r\n \r\n.\n',
    '\r\n..\n',
    '\0',
    '\r',
    '\n',
    '\r\0\n.\r\0\n',
  ];
  /** With a CR or a NUL that stands alone. */
  const isRefused = (octets: string): boolean => /\0|\r(?!\n)/.test(octets);

  it('is refused or made content, and no second message is accepted, sent or received', async () => {
    const before = await accepted();
    for (const [nth, variant] of VARIANTS.entries()) {
      const second = `MAIL FROM:<${from}>\r\nRCPT TO:<victim@world.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx`;
      const first = `From: ${from}\r\nTo: ok+${nth}@world.example\r\nSubject: first\r\n\r\none${variant}${second}`;
      const client = await dial();
      await client.envelope(from, `ok+${nth}@world.example`);
      client.write(`${first}\r\n.\r\nNOOP\r\n`);
      expect([variant, (await client.reply()).code]).toEqual([variant, isRefused(variant) ? 554 : 250]);
      // In the order of the commands: a reply between would be to a smuggled one.
      expect((await client.reply()).text).toBe('250 2.0.0 OK');
      expect(client.hasReply).toBe(false);
    }
    const expected = VARIANTS.flatMap((variant, nth) => (isRefused(variant) ? [] : [`ok+${nth}@world.example`]));
    expect(await accepted()).toBe(before + expected.length);
    expect(expected.length).toBeGreaterThan(4);

    let all: Received[] = [];
    await until(async () => (all = await received()).length >= expected.length, 60_000);
    expect(all.flatMap(({ to }) => to).toSorted()).toEqual(expected.toSorted());
    for (const { raw } of all) {
      const octets = Buffer.from(raw, 'base64').toString('latin1');
      expect(octets.split('\r\n\r\n', 1)[0]).toContain('\r\nSubject: first');
      expect(octets.slice(octets.indexOf('\r\n\r\n'))).toContain('\r\nRCPT TO:<victim@world.example>\r\n');
      // Nothing in it ends a message for a server that takes less than CRLF for a line's end.
      expect(octets.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
    }
    await empty();
  });

  it('what is pipelined behind STARTTLS is thrown away, a whole message of a trusted client, too', async () => {
    const before = await accepted();
    const client = await dial();
    const message = `MAIL FROM:<${from}>\r\nRCPT TO:<ok+injected@world.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n`;
    client.write(`STARTTLS\r\nEHLO injected.example\r\n${message}`);
    expect((await client.reply()).code).toBe(220);
    await client.handshake();
    expect((await client.command('NOOP')).code).toBe(250);
    expect((await client.command(`RCPT TO:<ok@world.example>`)).code).toBe(503);
    expect(client.hasReply).toBe(false);
    expect(await accepted()).toBe(before);
  });
});

it('who has not signed in relays nothing', async () => {
  const before = await accepted();
  const client = await dial(OUTSIDE);
  for (const command of [`MAIL FROM:<${from}>`, 'MAIL FROM:<>', 'RCPT TO:<ok@world.example>', 'DATA']) {
    expect((await client.command(command)).code).toBe(530);
  }
  expect(await accepted()).toBe(before);
});

it('clients that send an octet now and then are dropped, and make room', async () => {
  const loris: { client: SmtpClient; octets: string }[] = [];
  for (let nth = 0; nth < MAX_SESSIONS; nth++) {
    const client = nth % 2 === 0 ? await dial() : await dial(OUTSIDE);
    if (nth % 4 === 0) await client.envelope(from, 'ok@world.example');
    loris.push({ client, octets: nth % 4 === 0 ? 'x' : 'N' });
  }
  const late = await SmtpClient.connect(port);
  clients.push(late);
  expect((await late.reply()).code).toBe(421);

  const began = performance.now();
  const trickle = setInterval(() => {
    for (const { client, octets } of loris) if (!client.isClosed) client.write(octets);
  }, 100);
  try {
    expect(await until(async () => loris.every(({ client }) => client.isClosed), 60_000)).toBe(true);
    console.log(`${MAX_SESSIONS} slow clients were gone after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  } finally {
    clearInterval(trickle);
  }
  const client = await dial();
  await client.envelope(from, 'ok+after@world.example');
  expect((await client.data(`From: ${from}\r\nSubject: after\r\n\r\nx`)).code).toBe(250);
});
