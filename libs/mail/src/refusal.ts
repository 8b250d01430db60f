/**
 * Why something was not taken. `field` is what the caller named it (a form field, a header); `reason` is stable and
 * safe as a label; `message` is for people. None of them ever quotes the refused text, which may be personal.
 */
export interface Refusal {
  field: string;
  reason: RefusalReason;
  message: string;
}

export type RefusalReason =
  | 'missing'
  | 'control-character'
  | 'malformed'
  | 'group'
  | 'too-long'
  | 'too-many'
  | 'nul'
  | 'bare-cr'
  | 'header-too-large'
  | 'too-deep'
  | 'too-many-parts'
  | 'reserved';

export type Result<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export function accept<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(field: string, reason: RefusalReason, message: string): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { field, reason, message } };
}

/** CR, LF and NUL in a header or an envelope are how lines are injected; no other control character belongs there. */
export function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029)
      return true;
  }
  return false;
}
