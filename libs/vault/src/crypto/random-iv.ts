import { randomFillSync } from 'node:crypto';

const IV_BYTES = 12;
const pool = Buffer.allocUnsafeSlow(IV_BYTES * 512);
let used = pool.length;

/** A random 96-bit IV. Drawn from the system in blocks, because one call for each costs as much as half a seal. */
export function randomIv(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const iv = Buffer.from(pool.subarray(used, used + IV_BYTES));
  used += IV_BYTES;
  return iv;
}
