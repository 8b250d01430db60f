import { createSecureContext } from 'node:tls';
import { certificateAuthority, recordingExchanger, type RecordingExchanger } from '@lethe/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pkixProof } from './certificate-proof.ts';
import { SmtpConnection } from './smtp-connection.ts';

const HOST = 'relay.test';
const timeouts = { connect: 2_000, greeting: 2_000, command: 2_000, content: 2_000, finalDot: 2_000 };
const authority = certificateAuthority('An authority');

describe('a smart host', () => {
  let host: RecordingExchanger;
  beforeEach(async () => {
    host = await recordingExchanger('127.0.8.1', 0);
    host.show(authority.issue([HOST]));
  });
  afterEach(() => host.close());

  const open = () =>
    SmtpConnection.open(
      {
        host: HOST,
        address: '127.0.8.1',
        port: host.port,
        tls: 'required',
        proof: pkixProof(HOST, 'own'),
        login: { username: 'us', password: 'secret word' },
      },
      { helo: 'us.example', timeouts, trust: createSecureContext({ ca: authority.certificate }) },
    );
  const login = `tls AUTH PLAIN ${Buffer.from('\0us\0secret word').toString('base64')}`;

  it('is told who we are, over TLS', async () => {
    const session = await open();
    expect(host.lines).toEqual(['EHLO us.example', 'STARTTLS', 'tls EHLO us.example', login]);
    expect(session).toMatchObject({ tls: true, fault: undefined });
    session.destroy();
  });

  it('that does not prove to be it is told nothing', async () => {
    host.show(authority.issue(['another.test']));
    await expect(open()).rejects.toMatchObject({ at: 'tls', code: 'certificate-host-mismatch' });
    expect(host.lines).toEqual(['EHLO us.example', 'STARTTLS']);
  });

  it('that has no TLS is told nothing', async () => {
    host.show(undefined);
    await expect(open()).rejects.toMatchObject({ at: 'tls', code: 'starttls-not-supported' });
    expect(host.lines).toEqual(['EHLO us.example']);
  });

  it('that does not know us gets no mail', async () => {
    host.login = '535 5.7.8 no';
    await expect(open()).rejects.toMatchObject({ at: 'login', code: 'refused' });
    expect(host.lines.at(-1)).toBe(login);
  });
});
