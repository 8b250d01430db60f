/**
 * Whether a login of `domain` may name an envelope sender of `sender` (both as A-labels): its own domain, or the one it lies in.
 * A sending domain is often `mg.example.com`, for mail from `example.com`; that is the alignment DMARC calls relaxed (RFC 7489 §3.1.1).
 * What is signed and where bounces go is the login's domain in any case.
 */
export function maySendAs(domain: string, sender: string): boolean {
  return domain === sender || (sender.includes('.') && domain.endsWith(`.${sender}`));
}
