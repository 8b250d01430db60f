/** The octets of a part behind its Content-Transfer-Encoding (RFC 2045 6); what is not encoded as it says stays as it is. */
export function decodeOctets(octets: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(octets.toString('latin1'), 'base64');
  return encoding === 'quoted-printable' ? fromQuotedPrintable(octets.toString('latin1')) : octets;
}

/** A part may name a charset that nobody knows, or that its text is not in. */
export function decodeCharset(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset === '' ? 'utf-8' : charset, { fatal: charset === '' }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

/** RFC 2045 6.7; what is no valid escape stays as it is. */
function fromQuotedPrintable(text: string): Buffer {
  const joined = text
    .replace(/=[ \t]{0,8}\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(joined, 'latin1');
}
