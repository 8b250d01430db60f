import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** RFC 6376 and RFC 8463. Everybody verifies RSA; Ed25519 stands beside it and never alone. */
export const ALGORITHMS = ['rsa', 'ed25519'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** RFC 8301 §3.2: shorter keys are too weak, and longer ones need not be understood by whoever verifies. */
const BITS = { least: 2_048, most: 4_096 };

/** A DKIM key: private part as PKCS #8 PEM, public part as base64 for the DNS record. */
export interface DkimKeyPair {
  algorithm: Algorithm;
  privateKey: string;
  publicKey: string;
}

/** RSA-2048, which takes some 100 ms of a worker thread and none of the event loop, or Ed25519. */
export async function newDkimKeyPair(algorithm: Algorithm): Promise<DkimKeyPair> {
  const { privateKey } =
    algorithm === 'rsa' ? await generate('rsa', { modulusLength: BITS.least }) : await generate('ed25519');
  return pairOf(algorithm, privateKey);
}

/** A key the customer brings, PKCS #1 or PKCS #8 without a password. Undefined if it is none that mail can be signed with. */
export function importedKeyPair(pem: string): DkimKeyPair | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return undefined;
  }
  const algorithm = ALGORITHMS.find((name) => name === key.asymmetricKeyType);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (algorithm === undefined) return undefined;
  if (algorithm === 'rsa' && (bits < BITS.least || bits > BITS.most)) return undefined;
  return pairOf(algorithm, key);
}

function pairOf(algorithm: Algorithm, key: KeyObject): DkimKeyPair {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  // RFC 8463 §4: the record has the key's own 32 octets, not the structure around them.
  const publicKey = algorithm === 'rsa' ? spki : spki.subarray(-32);
  return {
    algorithm,
    privateKey: String(key.export({ type: 'pkcs8', format: 'pem' })),
    publicKey: publicKey.toString('base64'),
  };
}

/** The TXT record receivers look up, RFC 6376 §3.6.1 and §7.5. */
export function dkimRecord(
  domain: string,
  { selector, algorithm, publicKey }: { selector: string; algorithm: Algorithm; publicKey: string },
): { name: string; value: string } {
  return { name: `${selector}._domainkey.${domain}`, value: `v=DKIM1; k=${algorithm}; p=${publicKey}` };
}
