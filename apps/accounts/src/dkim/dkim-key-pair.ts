import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** RFC 8301 §3.2: shorter keys are too weak, and longer ones need not be understood by whoever verifies. */
const BITS = { least: 2_048, most: 4_096 };

/** A DKIM key: private part as PKCS #8 PEM, public part as base64 for the DNS record. */
export interface DkimKeyPair {
  privateKey: string;
  publicKey: string;
}

/** RSA-2048. Takes some 100 ms of a worker thread, none of the event loop. */
export async function newDkimKeyPair(): Promise<DkimKeyPair> {
  const { privateKey, publicKey } = await generate('rsa', {
    modulusLength: BITS.least,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { privateKey, publicKey: publicKey.toString('base64') };
}

/** A key the customer brings, PKCS #1 or PKCS #8 without a password. Undefined if it is none that mail can be signed with. */
export function importedKeyPair(pem: string): DkimKeyPair | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return undefined;
  }
  const bits = key.asymmetricKeyType === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  if (bits < BITS.least || bits > BITS.most) return undefined;
  return {
    privateKey: String(key.export({ type: 'pkcs8', format: 'pem' })),
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

/** The TXT record receivers look up, RFC 6376 §3.6.1 and §7.5. */
export function dkimRecord(domain: string, selector: string, publicKey: string): { name: string; value: string } {
  return { name: `${selector}._domainkey.${domain}`, value: `v=DKIM1; k=rsa; p=${publicKey}` };
}
