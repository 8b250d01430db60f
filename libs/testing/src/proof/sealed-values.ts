import { Scan, type Seeker } from '../scan/scan.ts';
import { scanWith } from '../scan/scan-folders.ts';

/** A compact JWE (RFC 7516 §7.1) as it lies in a file; what its header says is not verified. */
export interface SealedValue {
  readonly jwe: string;
  readonly account: string;
  /** Null where it is sealed for the account alone. */
  readonly subject: string | null;
  /** `<class>/<bucket>` or `standing`. */
  readonly period: string;
  readonly type: string;
  readonly record: string;
}

const JWE = /eyJ[\w-]{20,2000}\.\.[\w-]{16}\.[\w-]*\.[\w-]{22}(?![\w-])/g;
/** A record that is larger is refused before it is committed. */
const LONGEST = 64 * 1024;

/**
 * Every sealed value in any file below the folders, whoever wrote it there and whether or not anything still leads to it: records,
 * rows living and dead, the write-ahead log, logs.
 */
export async function sealedValuesIn(folders: readonly string[]): Promise<SealedValue[]> {
  const found = new Map<string, SealedValue>();
  const seeker: Seeker = {
    longest: LONGEST,
    search(octets) {
      for (const [jwe] of octets.toString('latin1').matchAll(JWE)) {
        if (found.has(jwe)) continue;
        const value = described(jwe);
        if (value) found.set(jwe, value);
      }
    },
  };
  await scanWith(new Scan(seeker), folders);
  return [...found.values()];
}

function described(jwe: string): SealedValue | null {
  try {
    const header = JSON.parse(Buffer.from(jwe.slice(0, jwe.indexOf('.')), 'base64url').toString()) as {
      [name in 'acc' | 'sub' | 'per' | 'typ' | 'rid']?: unknown;
    };
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const subject = header.sub === undefined ? null : text(header.sub);
    const [account, period, type, record] = [header.acc, header.per, header.typ, header.rid].map(text);
    if (!account || !period || !type || !record) return null;
    return { jwe, account, subject, period, type, record };
  } catch {
    return null;
  }
}
