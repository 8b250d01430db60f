/** A text of its writer alone. */
export interface StrippedText {
  text: string;
  /** What stands under the line `-- ` (RFC 3676 4.3), without it; '' where there is no such line. */
  signature: string;
}

/** Beyond it a text is data: it is left as it is. */
const MAX_CHARACTERS = 256 * 1024;
/** A signature is some lines; what stands further up under such a line is none. */
const MAX_SIGNATURE_LINES = 20;

/**
 * Takes off what was not written for this message: the quoted end (lines with `>`, RFC 3676 4.5, and the line above that
 * introduces them), and the signature. Only by these conventions; what clients quote in other ways stays.
 */
export function stripText(plain: string): StrippedText {
  if (plain.length > MAX_CHARACTERS) return { text: plain, signature: '' };
  const lines = plain.split(/\r?\n/);
  let end = withoutQuote(lines, lines.length);
  const mark = signatureMark(lines, end);
  const signature = mark < 0 ? '' : trimEnd(lines, mark + 1, end).join('\r\n');
  if (mark >= 0) end = withoutQuote(lines, mark);
  return { text: trimEnd(lines, 0, end).join('\r\n'), signature };
}

/** Where the text ends without the quote at its end; `end` where there is none. */
function withoutQuote(lines: readonly string[], end: number): number {
  let at = end;
  let quoted = false;
  for (; at > 0; at -= 1) {
    const line = lines[at - 1] ?? '';
    if (line.startsWith('>')) quoted = true;
    else if (line.trim() !== '') break;
  }
  if (!quoted) return end;
  // "On Monday, … wrote:"
  return at > 0 && /:\s*$/.test(lines[at - 1] ?? '') ? at - 1 : at;
}

function signatureMark(lines: readonly string[], end: number): number {
  for (let at = end - 1; at >= Math.max(0, end - MAX_SIGNATURE_LINES); at -= 1) if (lines[at] === '-- ') return at;
  return -1;
}

function trimEnd(lines: readonly string[], start: number, end: number): readonly string[] {
  let last = end;
  while (last > start && (lines[last - 1] ?? '').trim() === '') last -= 1;
  return lines.slice(start, last);
}
