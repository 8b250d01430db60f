import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@lethe/service';
import { selfSignedCertificate, SmtpClient, until } from '@lethe/testing';
import { afterAll, afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import type { IngestConfig } from '../config.ts';
import { smtpConfig } from './smtp.config.ts';
import { SmtpListener } from './smtp.listener.ts';
import type { SubmissionsService } from './submissions.service.ts';

const ANYBODY = 'anybody@sender.example';
const folder = mkdtempSync(join(tmpdir(), 'lethe-smtp-'));
const { certificate, key } = selfSignedCertificate(['smtp.lethe.example']);
writeFileSync(join(folder, 'cert'), certificate);
writeFileSync(join(folder, 'key'), key);
/** Everybody is of one account, whose sessions are what is looked at here. */
const submissions = { trustedAt: () => undefined, signIn: async () => ({ accountId: 'one' }) };

const open: { client: SmtpClient[]; listener: SmtpListener[] } = { client: [], listener: [] };
const kept = (client: SmtpClient): SmtpClient => (open.client.push(client), client);

/** Its ports: STARTTLS, TLS. */
async function listen(settings: Record<string, string>): Promise<[number, number]> {
  const files = { SMTP_TLS_CERT_FILE: join(folder, 'cert'), SMTP_TLS_KEY_FILE: join(folder, 'key') };
  const listener = new SmtpListener(
    submissions as unknown as SubmissionsService,
    createLog({ service: 'test', level: 'silent' }),
    z.object(smtpConfig).parse({ SMTP_PORT: '0', SMTP_TLS_PORT: '0', ...files, ...settings }) as IngestConfig,
  );
  await listener.onApplicationBootstrap();
  open.listener.push(listener);
  return listener.ports as [number, number];
}

afterEach(async () => {
  for (const client of open.client.splice(0)) client.end();
  await Promise.all(open.listener.splice(0).map((listener) => listener.onModuleDestroy()));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('one account has not all sessions', async () => {
  const [, port] = await listen({ SMTP_SESSIONS: '8' });
  const signedIn = async (): Promise<SmtpClient> => kept(await SmtpClient.signedIn(port, ANYBODY, 'x'));
  for (let nth = 0; nth < 7; nth += 1) await signedIn();
  const eighth = kept(await SmtpClient.connect(port, { tls: true }));
  expect((await eighth.reply()).code).toBe(220);
  await eighth.command('EHLO client.example');
  expect(await eighth.signIn(ANYBODY, 'x')).toEqual({
    code: 421,
    text: '421 4.7.0 too many sessions of the account: close some',
  });
  open.client[0]?.end();
  const again = async (): Promise<boolean> => (await signedIn().catch(() => undefined)) !== undefined;
  expect(await until(again, 10_000)).toBe(true);
});

it('who has not signed in has few of them, over both ports', async () => {
  const [port, tlsPort] = await listen({ SMTP_SESSIONS: '5', SMTP_STRANGERS: '2' });
  const signedIn = kept(await SmtpClient.signedIn(tlsPort, ANYBODY, 'x'));
  const plain = kept(await SmtpClient.connect(port));
  expect((await plain.reply()).code).toBe(220);
  // It says nothing at all, where TLS would come first.
  const silent = connect(tlsPort, '127.0.0.1').on('error', () => undefined);
  await once(silent, 'connect');
  const text = '421 4.7.0 too many connections of your network have not signed in: try again';
  const first = async (): Promise<string> => (await kept(await SmtpClient.connect(port)).reply()).text;
  expect(await until(async () => (await first()) === text, 10_000)).toBe(true);
  expect((await signedIn.command('NOOP')).code).toBe(250);
  silent.destroy();
  const secured = async (): Promise<boolean> => {
    const client = await SmtpClient.connect(tlsPort, { tls: true }).catch(() => undefined);
    const reply = await client?.reply().catch(() => undefined);
    client?.end();
    return reply?.code === 220;
  };
  // Nobody is counted who has left, be it in TLS.
  for (let nth = 0; nth < 3; nth += 1) expect(await until(secured, 10_000)).toBe(true);
  expect(await until(async () => (await first()) !== text, 10_000)).toBe(true);
});
