import { argon2, createHash, randomBytes, timingSafeEqual, type Argon2Parameters } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(argon2);

/** OWASP's first choice for argon2id (RFC 9106): 19 MiB, two passes, one lane; some tens of ms of a worker thread. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const NONCE_OCTETS = 16;
const TAG_OCTETS = 32;
/** What a hash may ask of us, so that a planted one cannot take the memory of the process. */
const MOST = { memory: 262_144, passes: 10, parallelism: 4 };

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([\w+/]{11,86})\$([\w+/]{22,86})$/;
const FAST = /^\$sha256\$([0-9a-f]{64})$/;

/**
 * The hash of a password that a person chose, as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. It is slow on purpose:
 * bound how many run at once.
 */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(NONCE_OCTETS);
  const tag = await derive('argon2id', { message: password, nonce, tagLength: TAG_OCTETS, ...COST });
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}

/** A password of 256 random bits, and its hash: plain SHA-256, because nobody can guess it and a slow hash would only slow the door. */
export function newPassword(): { password: string; hash: string } {
  const password = randomBytes(32).toString('base64url');
  return { password, hash: `$sha256$${sha256(password).toString('hex')}` };
}

/** Whether `verifyPassword` costs next to nothing for this hash. */
export const isFastHash = (hash: string): boolean => FAST.test(hash);

/** Compares in constant time. A hash of another form fits no password. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, digest] = FAST.exec(hash) ?? [];
  if (digest !== undefined) return timingSafeEqual(sha256(password), Buffer.from(digest, 'hex'));
  const [, memory, passes, parallelism, nonce, tag] = PHC.exec(hash) ?? [];
  if (nonce === undefined || tag === undefined) return false;
  const expected = Buffer.from(tag, 'base64');
  const parameters: Argon2Parameters = {
    message: password,
    nonce: Buffer.from(nonce, 'base64'),
    tagLength: expected.length,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  };
  if (!isAffordable(parameters)) return false;
  return timingSafeEqual(await derive('argon2id', parameters), expected);
}

function isAffordable({ memory, passes, parallelism }: Argon2Parameters): boolean {
  return memory <= MOST.memory && passes <= MOST.passes && parallelism <= MOST.parallelism && parallelism > 0;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
/** PHC strings have no padding. */
const base64 = (octets: Buffer): string => octets.toString('base64').replaceAll('=', '');
