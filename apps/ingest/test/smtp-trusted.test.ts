import { newPassword } from '@lethe/service';
import { SmtpClient } from '@lethe/testing';
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest';
import type { Submission } from '../src/accept/submission.ts';
import { SmtpListener } from '../src/smtp/smtp.listener.ts';
import { acceptedBy } from './support/obstacles.ts';
import { smtpSettings } from './support/smtp.settings.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const FROM = 'printer@sender.example';
const TO = 'someone@world.example';
const MESSAGE = `From: ${FROM}\r\nTo: ${TO}\r\nSubject: Toner\r\n\r\nIt is empty.`;
/** Of the loopback network: trusted, trusted for a domain of another account, and nobody's. */
const [INSIDE, ELSEWHERE, OUTSIDE] = ['127.0.7.7', '127.0.8.8', '127.0.9.9'];
const made = newPassword();

const smtp = smtpSettings();
let around: Surroundings;
let ports: [number, number];
let credential: { id: string; credential: string };
let accepted: Submission[];
const clients: SmtpClient[] = [];

/** Greeted, in clear or in TLS. */
async function dial(from: string | undefined, tls = false): Promise<SmtpClient> {
  const client = await SmtpClient.connect(ports[tls ? 1 : 0], { tls, ...(from ? { from } : {}) });
  clients.push(client);
  await client.reply();
  await client.command('EHLO printer.example');
  return client;
}

beforeAll(async () => {
  around = await surroundings(inject('stores'), smtp.settings);
  credential = await around.smtpCredential('robot', made.hash);
  await around.publishDomain({ smtpCredentials: [credential] });
  const app = await around.replica({
    SMTP_TRUSTED_NETWORKS: `127.0.7.0/24=${around.accountId}/sender.example, 127.0.8.0/24=${around.accountId}/stranger.example`,
  });
  ports = app.get(SmtpListener).ports as [number, number];
  accepted = acceptedBy(app);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});
afterAll(async () => {
  await around?.close();
  smtp.remove();
});

it.each([
  ['in clear', false],
  ['in TLS', true],
])('a client of a trusted network sends without signing in, %s, as its domain', async (_, tls) => {
  const client = await dial(INSIDE, tls);
  for (let nth = 0; nth < 2; nth++) {
    expect((await client.envelope(FROM, TO)).code).toBe(354);
    expect((await client.data(MESSAGE)).code).toBe(250);
  }
  expect(accepted.at(-1)).toMatchObject({ method: 'smtp', keyId: around.domain.domainId, originatingIp: INSIDE });
});

it('… also after STARTTLS', async () => {
  const client = await dial(INSIDE);
  expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(250);
  await client.startTls();
  expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(503);
  await client.command('EHLO printer.example');
  expect((await client.envelope(FROM, TO)).code).toBe(354);
});

it.each([
  ['outside of it', OUTSIDE],
  ['of loopback, which nobody has asked for', undefined],
])('a client %s relays nothing', async (_, from) => {
  const client = await dial(from);
  for (const command of [`MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA']) {
    expect((await client.command(command)).code).toBe(530);
  }
});

it.each([
  ['XCLIENT', `XCLIENT ADDR=${INSIDE}`],
  ['XFORWARD', `XFORWARD ADDR=${INSIDE}`],
])('nor does one that says by %s that it is inside', async (_, line) => {
  const client = await dial(OUTSIDE);
  expect((await client.command(line)).code).toBe(500);
  expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(530);
});

it.each([
  ['PROXY', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 4242 587\r\n')],
  // Version 2, by whose design a server that does not speak it reads QUIT.
  ['PROXY, binary', Buffer.from('0d0a0d0a000d0a515549540a21110000', 'hex')],
])('a trusted proxy that speaks for others is not served: %s', async (_, header) => {
  const client = await SmtpClient.connect(ports[0], { from: INSIDE });
  clients.push(client);
  await client.reply();
  client.write(header);
  await expect(client.closed(10_000)).resolves.toBeUndefined();
});

it('sends as its domain alone, within the bounds of everybody', async () => {
  const client = await dial(INSIDE);
  expect((await client.command('MAIL FROM:<x@other.example>')).text).toMatch(/^553 5\.7\.1 MAIL FROM /);
  expect((await client.command(`MAIL FROM:<${FROM}> SIZE=99000000`)).code).toBe(552);
});

it('a domain of another account is nobody’s network', async () => {
  const client = await dial(ELSEWHERE);
  expect(await client.command('MAIL FROM:<x@stranger.example>')).toEqual({
    code: 550,
    text: '550 5.7.1 Domain not found',
  });
});

it('who signs in there is who they sign in as', async () => {
  const client = await dial(INSIDE, true);
  expect((await client.signIn('robot@sender.example', made.password)).code).toBe(235);
  await client.envelope(FROM, TO);
  expect((await client.data(MESSAGE)).code).toBe(250);
  expect(accepted.at(-1)?.keyId).toBe(credential.id);
});

it('a domain that is disabled sends nothing from there, in open sessions, too', async () => {
  const client = await dial(INSIDE);
  expect((await client.command(`MAIL FROM:<${FROM}>`)).code).toBe(250);
  await around.publishDomain({ smtpCredentials: [credential], state: 'disabled' });
  await vi.waitFor(async () => {
    await client.command('RSET');
    expect((await client.command(`MAIL FROM:<${FROM}>`)).text).toBe('550 5.7.1 The domain is disabled');
  }, 5_000);
});
