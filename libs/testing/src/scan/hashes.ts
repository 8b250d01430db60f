import { createHash } from 'node:crypto';
import { alignments, distinct, type Encoded } from './encodings.ts';

const ALGORITHMS = [
  'md5',
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha512-256',
  'sha3-256',
  'sha3-512',
  'blake2b512',
  'blake2s256',
  'ripemd160',
];

/** As much of a digest as tells it from chance: one that was cut short is found as well. */
const DIGEST_OCTETS = 12;

/** Plain hashes: an address has so few values that its hash is the address (design §4). */
export function hashesOf(values: readonly string[]): Encoded[] {
  const texts = new Set(values.flatMap((value) => [value, value.trim(), value.toLowerCase(), value.toUpperCase()]));
  const found = [...texts].flatMap((text) =>
    ALGORITHMS.flatMap((algorithm): Encoded[] => {
      const digest = createHash(algorithm).update(text).digest().subarray(0, DIGEST_OCTETS);
      return [
        { variant: `${algorithm} raw`, octets: digest, anyCase: false },
        { variant: `${algorithm} hex`, octets: Buffer.from(digest.toString('hex')), anyCase: true },
        ...alignments(`${algorithm} base64`, digest),
      ];
    }),
  );
  return distinct(found);
}
