import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dkimRecord, importedKeyPair } from './dkim-key-pair.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
const pkcs1 = String(rsa.export({ type: 'pkcs1', format: 'pem' }));
const pkcs8 = String(rsa.export({ type: 'pkcs8', format: 'pem' }));

describe('a key that is brought along', () => {
  it.each([
    ['PKCS #1', pkcs1],
    ['PKCS #8', pkcs8],
  ])('is taken as %s', (_, pem) => {
    const pair = importedKeyPair(pem);
    expect(pair?.privateKey).toBe(pkcs8);
    const spki = createPublicKey(createPrivateKey(pkcs8)).export({ type: 'spki', format: 'der' });
    expect(pair?.publicKey).toBe(spki.toString('base64'));
  });

  it('can be Ed25519, of which the record has the 32 octets alone (RFC 8463 §4)', () => {
    // The private key and the record of the RFC's appendix A.
    const seed = Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64');
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const pair = importedKeyPair(`-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`);
    expect(pair).toMatchObject({ algorithm: 'ed25519', publicKey: '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=' });
    expect(dkimRecord('football.example.com', { selector: 'brisbane', ...pair! })).toEqual({
      name: 'brisbane._domainkey.football.example.com',
      value: 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    });
  });

  it.each([
    ['text', 'no key'],
    ['nothing', ''],
    ['a weak key', generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey],
    ['a key of another kind', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['a public key', createPublicKey(rsa).export({ type: 'spki', format: 'pem' })],
    ['a locked key', rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })],
  ])('is not taken if it is %s', (_, given) => {
    const pem = typeof given === 'object' && 'export' in given ? given.export({ type: 'pkcs8', format: 'pem' }) : given;
    expect(importedKeyPair(String(pem))).toBeUndefined();
  });
});
