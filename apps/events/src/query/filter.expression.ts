/**
 * Mailgun's filter expressions (mailgun-api §3): juxtaposed words or `AND` mean all, `OR`, `NOT x`, `"exact phrase"`,
 * parentheses, and for numbers `>n`, `<n`, `>a <b`. `OR` binds weakest, then juxtaposition, then `NOT`.
 */
export type Expression =
  | { readonly kind: 'term'; readonly text: string; readonly phrase: boolean }
  | { readonly kind: 'compare'; readonly operator: 'gt' | 'lt'; readonly value: number }
  | { readonly kind: 'not'; readonly inner: Expression }
  | { readonly kind: 'all' | 'any'; readonly inner: readonly Expression[] };

export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

const MAX_TOKENS = 200;
const MAX_DEPTH = 20;

type Token =
  | { readonly kind: 'open' | 'close' | 'and' | 'or' | 'not' }
  | Extract<Expression, { kind: 'term' | 'compare' }>;

/** @throws ExpressionError with what is wrong; never quoting the text, which may name someone. */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  if (tokens.length === 0) throw new ExpressionError('is empty');
  const parser = new Parser(tokens);
  return parser.whole();
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  // Sticky and without nested quantifiers: one pass, whatever the input.
  const pattern = /\s+|([()])|"([^"]*)"|([<>])\s*(-?\d{1,15}(?:\.\d{1,15})?)(?!\d)|([^\s()"]+)|(")/y;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [, paren, phrase, operator, number, word, stray] = match;
    if (stray) throw new ExpressionError('has a quotation mark without its partner');
    if (paren) tokens.push({ kind: paren === '(' ? 'open' : 'close' });
    else if (phrase !== undefined) tokens.push({ kind: 'term', text: phrase, phrase: true });
    else if (operator)
      tokens.push({ kind: 'compare', operator: operator === '>' ? 'gt' : 'lt', value: Number(number) });
    else if (word === 'AND' || word === 'OR' || word === 'NOT') tokens.push({ kind: word.toLowerCase() as 'and' });
    else if (word) tokens.push({ kind: 'term', text: word, phrase: false });
    if (tokens.length > MAX_TOKENS) throw new ExpressionError(`has more than ${MAX_TOKENS} words`);
  }
  return tokens;
}

class Parser {
  private position = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Expression {
    const expression = this.any();
    if (this.position < this.tokens.length) throw new ExpressionError('closes a parenthesis that was not opened');
    return expression;
  }

  private any(): Expression {
    const inner = [this.all()];
    while (this.take('or')) inner.push(this.all());
    return inner.length === 1 ? (inner[0] as Expression) : { kind: 'any', inner };
  }

  private all(): Expression {
    const inner = [this.one()];
    for (;;) {
      const explicit = this.take('and');
      const next = this.tokens[this.position];
      if (!explicit && (!next || next.kind === 'or' || next.kind === 'close')) break;
      inner.push(this.one());
    }
    return inner.length === 1 ? (inner[0] as Expression) : { kind: 'all', inner };
  }

  private one(): Expression {
    if ((this.depth += 1) > MAX_DEPTH) throw new ExpressionError(`is nested deeper than ${MAX_DEPTH}`);
    try {
      if (this.take('not')) return { kind: 'not', inner: this.one() };
      if (this.take('open')) {
        const inner = this.any();
        if (!this.take('close')) throw new ExpressionError('has a parenthesis that is not closed');
        return inner;
      }
      const token = this.tokens[this.position];
      if (token?.kind !== 'term' && token?.kind !== 'compare') throw new ExpressionError('lacks a word');
      this.position += 1;
      return token;
    } finally {
      this.depth -= 1;
    }
  }

  private take(kind: Token['kind']): boolean {
    if (this.tokens[this.position]?.kind !== kind) return false;
    this.position += 1;
    return true;
  }
}
