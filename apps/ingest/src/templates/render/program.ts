import Handlebars from 'handlebars';
import { invalid } from '../../form/refusals.ts';

/** A template that was read and may be rendered. */
export interface Program {
  readonly ast: hbs.AST.Program;
  /** Octets of memory that it takes, about. */
  readonly weight: number;
}

/** Blocks by how many values they take (Mailgun's; Handlebars' own are the first four). */
export const BLOCKS: ReadonlyMap<string, number> = new Map([
  ['if', 1],
  ['unless', 1],
  ['each', 1],
  ['with', 1],
  ['equal', 2],
]);
export const LOOKUP = 'lookup';

/** Reading costs by the token, and more by how deep blocks stand in each other. */
const MAX_TOKENS = 10_000;
const MAX_OPENED = 500;
const MAX_DEPTH = 50;
const OCTETS_PER_TOKEN = 200;

/** What the package's types leave out: its lexer, which is asked before the parser is. */
interface Lexer {
  yy: object;
  setInput(text: string): void;
  lex(): number;
}
const { lexer, terminals_: tokens } = (
  Handlebars as unknown as { Parser: { lexer: Lexer; terminals_: Readonly<Record<number, string>> } }
).Parser;

/**
 * Reads a template. It is somebody else's program: what it may hold is said here, and is checked before it is stored; partials and
 * decorators are not among it, nor are helpers that are not Mailgun's.
 * @throws ApiError 400 naming the field and, where it can, the line.
 */
export function parseTemplate(text: string, field: string): Program {
  try {
    const count = countTokens(text, field);
    const ast = Handlebars.parseWithoutProcessing(text);
    checkProgram(ast, field, 0);
    return { ast: Handlebars.parse(ast as unknown as string), weight: 2 * text.length + OCTETS_PER_TOKEN * count };
  } catch (error) {
    if (!isSyntaxError(error)) throw error;
    // The parser's own words quote the template.
    const [, line] = /on line (\d{1,6})/.exec(error.message) ?? [];
    throw invalid(field, `it cannot be read as Handlebars${line === undefined ? '' : ` in line ${line}`}`);
  }
}

function countTokens(text: string, field: string): number {
  lexer.yy = {};
  lexer.setInput(text);
  let count = 0;
  let opened = 0;
  for (let token = tokens[lexer.lex()]; token !== 'EOF'; token = tokens[lexer.lex()]) {
    count += 1;
    if (token?.startsWith('OPEN_') && token !== 'OPEN_UNESCAPED') opened += 1;
    if (count > MAX_TOKENS || opened > MAX_OPENED) throw invalid(field, 'it has too many tags: split it');
  }
  return count;
}

/** Jison throws plain errors, Handlebars' own checks its Exception, which is none of TypeError and the like. */
const isSyntaxError = (error: unknown): error is Error =>
  error instanceof Error && /^(Parse error|Lexical error)/.test(error.message)
    ? true
    : error instanceof Handlebars.Exception;

function checkProgram({ body }: hbs.AST.Program, field: string, depth: number): void {
  if (depth > MAX_DEPTH) throw invalid(field, `its blocks stand more than ${MAX_DEPTH} deep in each other`);
  for (const statement of body) checkStatement(statement, field, depth);
}

function checkStatement(statement: hbs.AST.Statement, field: string, depth: number): void {
  const refuse = (why: string): Error => invalid(field, `${why} (line ${statement.loc.start.line})`);
  switch (statement.type) {
    case 'ContentStatement':
    case 'CommentStatement':
      return;
    case 'MustacheStatement':
      return checkMustache(statement as hbs.AST.MustacheStatement, refuse);
    case 'BlockStatement': {
      const block = statement as hbs.AST.BlockStatement;
      checkBlock(block, refuse);
      for (const program of programsOf(block)) checkProgram(program, field, depth + 1);
      return;
    }
    default:
      throw refuse('partials and decorators are not taken');
  }
}

/** The types say that both are there; `{{^x}}` has no program, and most blocks have no inverse. */
export const programsOf = (block: hbs.AST.BlockStatement): hbs.AST.Program[] =>
  [block.program, block.inverse].filter((program) => (program as hbs.AST.Program | undefined) !== undefined);

type Refuse = (why: string) => Error;
type Call = Pick<hbs.AST.MustacheStatement, 'path' | 'params'> & { hash?: hbs.AST.Hash };

function checkMustache({ path, params, hash }: hbs.AST.MustacheStatement, refuse: Refuse): void {
  const name = helperName(path);
  if (name !== undefined && BLOCKS.has(name)) throw refuse(`'${name}' is a block: write it with #`);
  if (name === LOOKUP) return checkCall({ path, params, hash }, 2, refuse);
  if (params.length > 0 || hashPairs({ hash }).length > 0) throw refuse('there is no helper of this name');
  if (path.type !== 'PathExpression') throw refuse('a tag needs a name');
}

function checkBlock({ path, params, hash }: hbs.AST.BlockStatement, refuse: Refuse): void {
  const name = helperName(path);
  const values = name === undefined ? undefined : BLOCKS.get(name);
  if (values !== undefined) return checkCall({ path, params, hash }, values, refuse);
  if (name === LOOKUP || params.length > 0 || hashPairs({ hash }).length > 0 || path.type !== 'PathExpression') {
    throw refuse('there is no block of this name');
  }
}

function checkCall(call: Call, values: number, refuse: Refuse): void {
  if (call.params.length !== values) throw refuse(`a helper takes ${values} value${values === 1 ? '' : 's'} here`);
  if (hashPairs(call).some(({ key }) => key !== 'includeZero')) throw refuse('a helper has no such option');
  for (const value of [...call.params, ...hashPairs(call).map((pair) => pair.value)]) checkValue(value, refuse, 0);
}

function checkValue(value: hbs.AST.Expression, refuse: Refuse, depth: number): void {
  if (value.type !== 'SubExpression') return;
  if (depth > MAX_DEPTH) throw refuse(`its parentheses stand more than ${MAX_DEPTH} deep in each other`);
  const { path, params, hash } = value as hbs.AST.SubExpression;
  if (helperName(path) !== LOOKUP || params.length !== 2 || hashPairs({ hash }).length > 0) {
    throw refuse('only lookup, with two values, is taken in parentheses');
  }
  for (const param of params) checkValue(param, refuse, depth + 1);
}

export const hashPairs = ({ hash }: { hash?: hbs.AST.Hash | undefined }): hbs.AST.HashPair[] => hash?.pairs ?? [];

/** A name that can be a helper's: one word, not `this.x`, `../x` or `@x`. */
export function helperName(path: hbs.AST.Expression): string | undefined {
  if (path.type !== 'PathExpression') return undefined;
  const { data, depth, parts, original } = path as hbs.AST.PathExpression;
  return !data && depth === 0 && parts.length === 1 && !isScoped(original) ? String(parts[0]) : undefined;
}

/** `./x` and `this.x` mean the context's own, never a block parameter. */
export const isScoped = (original: string): boolean => /^\.|^this\b/.test(original);
