import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SignJWT } from 'jose';
import { Clock } from '../clock/clock.ts';
import { IdentitySigner } from './identity-signer.ts';
import { IdentityVerifier } from './identity-verifier.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const claims = { account: 'a1', scopes: ['messages:write'], keyId: 'k1', domain: 'd1' };

class TestClock extends Clock {
  time = Date.UTC(2026, 0, 1);
  override now(): number {
    return this.time;
  }
}

function both(audience = 'ingest') {
  const clock = new TestClock();
  return {
    clock,
    signer: new IdentitySigner(privatePem, clock),
    verifier: new IdentityVerifier(publicPem, audience, clock),
  };
}

describe('identity', () => {
  it('carries the claims to the service it is for', async () => {
    const { signer, verifier } = both();
    expect(await verifier.verify(await signer.sign('ingest', claims))).toEqual(claims);
  });

  it('is good for one service only', async () => {
    const { signer, verifier } = both('events');
    expect(await verifier.verify(await signer.sign('ingest', claims))).toBeUndefined();
  });

  it('ends after 60 s, verified before or not', async () => {
    const { clock, signer, verifier } = both();
    const seen = await signer.sign('ingest', claims);
    const unseen = await signer.sign('ingest', { ...claims, keyId: 'k2' });
    expect(await verifier.verify(seen)).toEqual(claims);
    clock.time += 60_000;
    expect(await verifier.verify(seen)).toBeUndefined();
    expect(await verifier.verify(unseen)).toBeUndefined();
  });

  it('signs once for the same claims, and anew at half of its life', async () => {
    const { clock, signer } = both();
    const first = await signer.sign('ingest', claims);
    clock.time += 29_000;
    expect(await signer.sign('ingest', claims)).toBe(first);
    expect(await signer.sign('ingest', { ...claims, scopes: [] })).not.toBe(first);
    clock.time += 2000;
    expect(await signer.sign('ingest', claims)).not.toBe(first);
  });

  it.each([
    ['another issuer', { iss: 'someone' }],
    ['a life of an hour', { exp: 3600 }],
    ['no account', { account: undefined }],
  ])('refuses a token with %s', async (_, change) => {
    const { clock, verifier } = both();
    const now = clock.time / 1000;
    const { iss = 'gateway', exp = 60, account = 'a1' } = change as { iss?: string; exp?: number; account?: string };
    const token = await new SignJWT({ ...('account' in change ? {} : { account }), scopes: [], key: 'k' })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(iss)
      .setAudience('ingest')
      .setIssuedAt(now)
      .setExpirationTime(now + exp)
      .sign(privateKey);
    clock.time += exp === 3600 ? 61_000 : 0;
    expect(await verifier.verify(token)).toBeUndefined();
  });

  it('refuses another key, an unsigned token and noise', async () => {
    const { clock, verifier } = both();
    const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const forged = await new IdentitySigner(other.toString(), clock).sign('ingest', claims);
    const [, payload] = forged.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    for (const token of [forged, none, 'noise', '']) expect(await verifier.verify(token)).toBeUndefined();
  });
});
