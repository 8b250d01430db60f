import Handlebars from 'handlebars';
import { hashPairs, helperName, isScoped, LOOKUP, type Program } from './program.ts';
import { isEmpty, own, textOf, type Variables } from './values.ts';

export interface RenderLimits {
  /** Statements, subexpressions and turns of loops. */
  readonly steps: number;
  /** Characters of the result. */
  readonly length: number;
}

/** The template asks for more work, or for more output, than one message may. */
export class RenderLimitError extends Error {
  constructor(readonly limit: 'steps' | 'length') {
    super(`the template exceeds its ${limit}`);
  }
}

/** `@index` and the like of one turn of a loop, and of the loops around it. */
interface Frame {
  readonly values: Readonly<Record<string, unknown>>;
  readonly outer: Frame | undefined;
}

/** What a statement is evaluated in. `contexts[0]` is the nearest: `../` goes one further. */
interface Scope {
  readonly contexts: readonly unknown[];
  readonly frame: Frame;
  /** Block parameters (`as |item index|`), inner before outer. */
  readonly named: ReadonlyMap<string, unknown>;
}

/**
 * Renders what Handlebars' parser read. The package would make JavaScript of it, which runs until it is done and reaches whatever an
 * object inherits; here every step and every character is counted, and nothing but the variables' own properties can be reached. The
 * results are compared with the package's own in `evaluator.test.ts`.
 * @throws RenderLimitError
 */
export function render({ ast }: Program, variables: Variables, as: 'html' | 'text', limits: RenderLimits): string {
  const evaluation = new Evaluation(as === 'html', limits);
  evaluation.program(ast, {
    contexts: [variables],
    frame: { values: { root: variables }, outer: undefined },
    named: new Map(),
  });
  return evaluation.result();
}

class Evaluation {
  private readonly pieces: string[] = [];
  private length = 0;
  private steps = 0;

  constructor(
    private readonly escapes: boolean,
    private readonly limits: RenderLimits,
  ) {}

  result(): string {
    return this.pieces.join('');
  }

  program(program: hbs.AST.Program | undefined, scope: Scope): void {
    for (const statement of program?.body ?? []) {
      this.step();
      if (statement.type === 'ContentStatement') this.write((statement as hbs.AST.ContentStatement).value);
      else if (statement.type === 'MustacheStatement') this.mustache(statement as hbs.AST.MustacheStatement, scope);
      else if (statement.type === 'BlockStatement') this.block(statement as hbs.AST.BlockStatement, scope);
    }
  }

  private mustache({ path, params, escaped }: hbs.AST.MustacheStatement, scope: Scope): void {
    const value = helperName(path) === LOOKUP ? this.lookup(params, scope) : this.value(path, scope);
    const text = this.textOf(value);
    this.write(escaped && this.escapes ? Handlebars.escapeExpression(text) : text);
  }

  private block(block: hbs.AST.BlockStatement, scope: Scope): void {
    const { params } = block;
    const yes = (): void => this.program(block.program, scope);
    const no = (): void => this.program(block.inverse, scope);
    const first = (): unknown => this.value(params[0] as hbs.AST.Expression, scope);
    switch (helperName(block.path)) {
      case 'if':
        return this.isTrue(block, first(), scope) ? yes() : no();
      case 'unless':
        return this.isTrue(block, first(), scope) ? no() : yes();
      case 'equal':
        return this.textOf(first()) === this.textOf(this.value(params[1] as hbs.AST.Expression, scope)) ? yes() : no();
      case 'with':
        return this.within(block, first(), scope);
      case 'each':
        return this.each(block, first(), scope);
      default:
        return this.section(block, this.value(block.path, scope), scope);
    }
  }

  private isTrue(block: hbs.AST.BlockStatement, value: unknown, scope: Scope): boolean {
    const [includeZero] = hashPairs(block);
    return !isEmpty(value) && (value !== 0 || Boolean(includeZero && this.value(includeZero.value, scope)));
  }

  private within(block: hbs.AST.BlockStatement, value: unknown, scope: Scope): void {
    if (isEmpty(value)) this.program(block.inverse, scope);
    else this.program(block.program, enter(scope, value, { names: block.program.blockParams, values: [value] }));
  }

  private each(block: hbs.AST.BlockStatement, list: unknown, scope: Scope): void {
    const keys = typeof list === 'object' && list !== null ? Object.keys(list) : [];
    keys.forEach((name, index) => {
      this.step();
      const value = own(list, name);
      const key = Array.isArray(list) ? index : name;
      const values = { key, index, first: index === 0, last: index === keys.length - 1 };
      const inner = enter(scope, value, { names: block.program?.blockParams, values: [value, key] });
      const frame = { values: { ...scope.frame.values, ...values }, outer: scope.frame };
      this.program(block.program, { ...inner, frame });
    });
    if (keys.length === 0) this.program(block.inverse, scope);
  }

  /** `{{#name}}` of no helper: a list is gone through, anything else that is there is entered. */
  private section(block: hbs.AST.BlockStatement, value: unknown, scope: Scope): void {
    if (value === true) this.program(block.program, scope);
    else if (value === false || value === undefined || value === null) this.program(block.inverse, scope);
    else if (Array.isArray(value)) this.each(block, value, scope);
    else this.program(block.program, enter(scope, value));
  }

  private value(expression: hbs.AST.Expression, scope: Scope): unknown {
    switch (expression.type) {
      case 'PathExpression':
        return pathValue(expression as hbs.AST.PathExpression, scope);
      case 'SubExpression':
        this.step();
        return this.lookup((expression as hbs.AST.SubExpression).params, scope);
      case 'StringLiteral':
      case 'NumberLiteral':
      case 'BooleanLiteral':
        return (expression as hbs.AST.StringLiteral).value;
      default:
        return expression.type === 'NullLiteral' ? null : undefined;
    }
  }

  private lookup(params: readonly hbs.AST.Expression[], scope: Scope): unknown {
    const [object, field] = params.map((param) => this.value(param, scope));
    return object ? own(object, this.textOf(field)) : object;
  }

  private textOf(value: unknown): string {
    return textOf(value, () => this.step());
  }

  private write(text: string): void {
    this.length += text.length;
    if (this.length > this.limits.length) throw new RenderLimitError('length');
    this.pieces.push(text);
  }

  private step(): void {
    this.steps += 1;
    if (this.steps > this.limits.steps) throw new RenderLimitError('steps');
  }
}

/** A block that has the context it stands in already adds none, so that `../` leads past it. */
function enter(
  scope: Scope,
  context: unknown,
  params: { names?: readonly string[] | undefined; values: readonly unknown[] } = { values: [] },
): Scope {
  const { contexts, named } = scope;
  const added = (params.names ?? []).map((name, index): [string, unknown] => [name, params.values[index]]);
  return {
    ...scope,
    contexts: context === contexts[0] ? contexts : [context, ...contexts],
    named: added.length === 0 ? named : new Map([...named, ...added]),
  };
}

function pathValue({ data, depth, parts, original }: hbs.AST.PathExpression, scope: Scope): unknown {
  const names = parts.map(String);
  const [head, ...tail] = names;
  if (data) {
    let frame: Frame | undefined = scope.frame;
    for (let up = depth; up > 0; up -= 1) frame = frame?.outer;
    return names.reduce<unknown>(own, frame?.values);
  }
  if (depth === 0 && head !== undefined && scope.named.has(head) && !isScoped(original)) {
    return tail.reduce<unknown>(own, scope.named.get(head));
  }
  return names.reduce<unknown>(own, scope.contexts[depth]);
}
