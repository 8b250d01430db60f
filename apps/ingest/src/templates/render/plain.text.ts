import { Parser } from 'htmlparser2';

/** Elements that stand on lines of their own, by how many line breaks they have before and after them. */
const BREAKS: ReadonlyMap<string, number> = new Map([
  ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'table', 'blockquote', 'pre', 'hr'].map(
    (name) => [name, 2] as const,
  ),
  ...['div', 'li', 'tr', 'section', 'article', 'header', 'footer', 'main', 'body', 'dt', 'dd', 'address', 'br'].map(
    (name) => [name, 1] as const,
  ),
]);
/** What they hold is not read by anybody. */
const UNSEEN = new Set(['head', 'style', 'script', 'title', 'template', 'noscript', 'svg', 'object']);
/** Deeper, the parser takes time by the square, and nobody wrote it by hand. */
const MAX_DEPTH = 500;

/**
 * A text part of an HTML one (`t:text`), in one pass: paragraphs, lists and links as text, nothing else. Elements that stand more than
 * 500 deep in each other end it.
 */
export function plainText(html: string): string {
  const text = new TextOf();
  const parser: Parser = new Parser(
    {
      onopentag(name, { href, alt }) {
        if (!text.open(name, name === 'img' ? alt : href)) parser.pause();
      },
      ontext: (data) => text.write(data),
      onclosetag: (name) => text.close(name),
    },
    { decodeEntities: true },
  );
  // A parser that is paused keeps what it has not read; it is not asked for it.
  parser.write(html);
  if (!text.isTooDeep) parser.end();
  return text.result();
}

class TextOf {
  private readonly pieces: string[] = [];
  private readonly links: (string | undefined)[] = [];
  private breaks = 0;
  private isSpaced = false;
  private depth = 0;
  private unseen = 0;
  private pre = 0;

  get isTooDeep(): boolean {
    return this.depth > MAX_DEPTH;
  }

  /** `about`: where a link leads, or what a picture shows. False where nothing more is to be read. */
  open(name: string, about: string | undefined): boolean {
    this.depth += 1;
    if (UNSEEN.has(name)) this.unseen += 1;
    if (name === 'pre') this.pre += 1;
    this.broken(name);
    if (name === 'a') this.links.push(about);
    else if (name === 'li') this.write('* ');
    else if (name === 'img' && about) this.write(about);
    return !this.isTooDeep;
  }

  close(name: string): void {
    this.depth -= 1;
    if (UNSEEN.has(name)) this.unseen -= 1;
    if (name === 'pre') this.pre -= 1;
    if (name === 'a') {
      const href = this.links.pop()?.trim() ?? '';
      // What leads elsewhere than where it says is written out; a place on the same page is none.
      if (/^[a-z][a-z0-9+.-]*:|^%/i.test(href)) this.write(` <${href}>`);
    } else if (name === 'td' || name === 'th') this.write(' ');
    if (name !== 'br') this.broken(name);
  }

  write(data: string): void {
    if (this.unseen > 0) return;
    const shown = this.pre > 0 ? data : data.replace(/[ \t\r\n\f]+/g, ' ');
    const text = this.pre > 0 || !this.isAtStart ? shown : shown.trimStart();
    if (text === '') return;
    if (this.breaks > 0 && this.pieces.length > 0) this.pieces.push('\n'.repeat(this.breaks));
    this.breaks = 0;
    this.isSpaced = text.endsWith(' ');
    this.pieces.push(text);
  }

  result(): string {
    const lines = this.pieces.join('').split('\n');
    return `${lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trim()}\n`;
  }

  /** Where a blank says nothing. */
  private get isAtStart(): boolean {
    return this.breaks > 0 || this.pieces.length === 0 || this.isSpaced;
  }

  private broken(name: string): void {
    const wanted = BREAKS.get(name) ?? 0;
    this.breaks = name === 'br' ? Math.min(this.breaks + 1, 2) : Math.max(this.breaks, wanted);
  }
}
