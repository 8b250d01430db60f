import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** A DKIM key: private part as PKCS #8 PEM, public part as base64 for the DNS record. */
export interface DkimKeyPair {
  privateKey: string;
  publicKey: string;
}

/** RSA-2048 (RFC 8301 §3.2). Takes some 100 ms of a worker thread, none of the event loop. */
export async function newDkimKeyPair(): Promise<DkimKeyPair> {
  const { privateKey, publicKey } = await generate('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { privateKey, publicKey: publicKey.toString('base64') };
}

/** The TXT record receivers look up, RFC 6376 §3.6.1 and §7.5. */
export function dkimRecord(domain: string, selector: string, publicKey: string): { name: string; value: string } {
  return { name: `${selector}._domainkey.${domain}`, value: `v=DKIM1; k=rsa; p=${publicKey}` };
}
