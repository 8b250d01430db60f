import { accept, refuse, type Result } from '../refusal.ts';

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

/**
 * The one rule HTTP and SMTP share for a raw message (docs/decisions: one rule for raw messages): NUL and a CR that no
 * LF follows are refused, every LF without a CR becomes CRLF, and a last line without its end gets one. Nothing else is
 * touched: long lines (RFC 5322 2.1.1) and 8-bit bytes pass. Afterwards every line ends in CRLF (RFC 5321 2.3.8), so a
 * dot-stuffed copy means the same to every reader. Gives the same buffer back where nothing had to change.
 */
export function normaliseMessage(raw: Buffer, field = 'message'): Result<Buffer> {
  if (raw.length === 0) return refuse(field, 'missing', 'the message is empty');
  if (raw.includes(NUL)) return refuse(field, 'nul', 'the message holds a NUL byte (RFC 5322 2.2 allows none)');
  let bareLf = 0;
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at];
    if (byte === LF) bareLf++;
    else if (byte === CR && raw[++at] !== LF) {
      return refuse(field, 'bare-cr', 'the message holds a CR that is not followed by LF (RFC 5322 2.2 allows none)');
    }
  }
  const unended = raw.at(-1) !== LF;
  if (bareLf === 0 && !unended) return accept(raw);
  return accept(withCrlf(raw, bareLf + (unended ? 2 : 0)));
}

function withCrlf(raw: Buffer, added: number): Buffer {
  const out = Buffer.allocUnsafe(raw.length + added);
  let to = 0;
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte === LF && (at === 0 || raw[at - 1] !== CR)) out[to++] = CR;
    out[to++] = byte;
  }
  if (raw.at(-1) !== LF) {
    out[to++] = CR;
    out[to++] = LF;
  }
  return out.subarray(0, to);
}
