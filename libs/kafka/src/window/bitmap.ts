/** Set bits as base64url, trimmed after the last one: bit `i` of byte `i >> 3`, least significant first. */
export function encodeBitmap(bits: Iterable<number>): string {
  const set = [...bits];
  if (set.length === 0) return '';
  const bytes = new Uint8Array((set.reduce((high, bit) => Math.max(high, bit), 0) >> 3) + 1);
  for (const bit of set) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  return Buffer.from(bytes).toString('base64url');
}

export function decodeBitmap(text: string): number[] {
  const bits: number[] = [];
  for (const [index, byte] of Buffer.from(text, 'base64url').entries()) {
    for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) bits.push(index * 8 + bit);
  }
  return bits;
}
