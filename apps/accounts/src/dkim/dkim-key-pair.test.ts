import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { importedKeyPair } from './dkim-key-pair.ts';

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

  it.each([
    ['text', 'no key'],
    ['nothing', ''],
    ['a weak key', generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey],
    ['a key of another kind', generateKeyPairSync('ed25519').privateKey],
    ['a public key', createPublicKey(rsa).export({ type: 'spki', format: 'pem' })],
    ['a locked key', rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })],
  ])('is not taken if it is %s', (_, given) => {
    const pem = typeof given === 'object' && 'export' in given ? given.export({ type: 'pkcs8', format: 'pem' }) : given;
    expect(importedKeyPair(String(pem))).toBeUndefined();
  });
});
