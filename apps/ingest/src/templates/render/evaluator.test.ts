import Handlebars from 'handlebars';
import { describe, expect, it } from 'vitest';
import { render, RenderLimitError } from './evaluator.ts';
import { parseTemplate } from './program.ts';
import { textOf } from './values.ts';

const LIMITS = { steps: 10_000, length: 10_000 };
const rendered = (template: string, variables: object, as: 'html' | 'text' = 'html', limits = LIMITS): string =>
  render(parseTemplate(template, 'template'), variables as Record<string, unknown>, as, limits);

/** The package itself, with Mailgun's one helper of its own. */
const itself = Handlebars.create();
itself.registerHelper('equal', function (this: unknown, a: unknown, b: unknown, options: Handlebars.HelperOptions) {
  return textOf(a) === textOf(b) ? options.fn(this) : options.inverse(this);
});

const VARIABLES = {
  name: 'Ann <b>"& \'`=',
  empty: '',
  zero: 0,
  yes: true,
  no: false,
  nothing: null,
  words: ['one', 'two', 'three'],
  none: [],
  nested: [['a', 'b'], ['c']],
  author: {
    first: 'Jean',
    last: 'Valjean',
    books: [
      { title: 'x', parts: [1, 2] },
      { title: 'y', parts: [] },
    ],
  },
  plan: 'pro',
  count: 5,
  key: 'first',
  'odd key': 'odd',
};

describe('what is rendered', () => {
  it.each([
    'Hello {{name}}, {{{name}}} and {{&name}}!',
    '{{missing}}|{{missing.deeper.still}}|{{empty}}|{{zero}}|{{yes}}|{{no}}|{{nothing}}|{{nothing.x}}',
    '{{words}}|{{nested}}|{{words.length}}|{{words.[1]}}|{{name.length}}',
    '{{[odd key]}} {{this.plan}} {{./plan}} {{author/first}} {{author.first}}',
    '{{#if yes}}a{{/if}}{{#if no}}b{{else}}c{{/if}}{{#if none}}d{{else if zero}}e{{else if plan}}f{{else}}g{{/if}}',
    '{{#if zero}}a{{else}}b{{/if}}{{#if zero includeZero=true}}a{{else}}b{{/if}}{{#unless zero includeZero=true}}c{{/unless}}',
    '{{#unless no}}a{{/unless}}{{#unless words}}b{{else}}c{{/unless}}',
    '{{#each words}}{{@index}}/{{@key}}/{{@first}}/{{@last}}:{{this}} {{/each}}',
    '{{#each author}}{{@key}}={{this}};{{/each}}{{#each none}}a{{else}}b{{/each}}{{#each name}}a{{else}}b{{/each}}',
    '{{#each author.books}}{{title}}{{#each parts}}{{../title}}{{@../index}}{{@index}}{{../../plan}}{{/each}}{{/each}}',
    '{{#each author.books as |book at|}}{{at}}{{book.title}}{{this.title}}{{#each book.parts as |part|}}{{book.title}}{{part}}{{/each}}{{/each}}',
    '{{#with author}}{{first}} {{last}} {{../plan}} {{#if first}}{{../plan}}{{/if}}{{/with}}{{#with none}}a{{else}}b{{/with}}',
    '{{#with author as |who|}}{{who.first}}{{/with}}',
    '{{#author}}{{first}}{{/author}}{{#words}}{{this}}{{@index}}{{/words}}{{#yes}}{{plan}}{{/yes}}{{#no}}a{{/no}}{{^no}}b{{/no}}',
    '{{^words}}a{{else}}b{{/words}}{{^none}}c{{/none}}{{#missing}}d{{else}}e{{/missing}}{{#empty}}f{{/empty}}{{#zero}}g{{/zero}}',
    '{{#equal plan "pro"}}yes{{else}}no{{/equal}}{{#equal count "5"}}yes{{/equal}}{{#equal missing ""}}yes{{/equal}}',
    '{{lookup author "first"}}{{lookup words 1}}{{lookup author key}}{{#with (lookup author "books")}}{{length}}{{/with}}',
    '{{#each (lookup author.books 0)}}{{this}}{{/each}}{{lookup (lookup author.books 0) "title"}}{{lookup missing "x"}}',
    '{{@root.plan}}{{#each words}}{{@root.plan}}{{/each}}{{@index}}{{@missing.x}}',
    'a {{~yes~}} b\n{{#if yes}}\n  standalone\n{{/if}}\n{{! comment }}{{!-- {{comment}} --}}c \\{{escaped}} \\\\{{plan}}',
    '{{{{words}}}}raw {{plan}} {{{{/words}}}}',
    '{{#if author}}{{#each words}}{{#if @first}}{{../plan}}{{/if}}{{/each}}{{/if}}',
    '{{#each words}}{{#equal this "two"}}{{@index}}{{../plan}}{{/equal}}{{/each}}',
    '{{#with author}}{{#each ../words}}{{this}}{{../first}}{{../../plan}}{{/each}}{{/with}}',
    '%recipient.name% {{plan}}',
  ])('is what the package renders: %s', (template) => {
    const expected = itself.compile(template)(VARIABLES);
    expect(rendered(template, VARIABLES)).toBe(expected);
    expect(rendered(template, VARIABLES, 'text')).toBe(itself.compile(template, { noEscape: true })(VARIABLES));
  });

  it('is made of what a client sent alone, whatever it calls itself', () => {
    const variables: unknown = JSON.parse('{"__proto__":{"x":1},"toString":"own","a":{"toString":1,"valueOf":2}}');
    expect(rendered('{{__proto__.x}}{{toString}}{{a}}{{x}}{{constructor.name}}', variables as object)).toBe(
      '1own[object Object]',
    );
  });
});

describe('what one message may take', () => {
  const thousand = { a: Array.from({ length: 1_000 }, () => 'x') };

  it('ends loops within loops', () => {
    const loops = '{{#each a}}{{#each @root.a}}{{#each @root.a}}{{/each}}{{/each}}{{/each}}';
    const steps = (most: number) => () => rendered(loops, thousand, 'html', { steps: most, length: 1 });
    expect(steps(10_000)).toThrow(RenderLimitError);
    expect(() => rendered('{{#each a}}{{/each}}', thousand, 'html', { steps: 1_001, length: 1 })).not.toThrow();
    expect(() => rendered('{{#each a}}{{/each}}', thousand, 'html', { steps: 1_000, length: 1 })).toThrow(
      RenderLimitError,
    );
  });

  it('counts the elements of a list that is compared or written', () => {
    for (const reads of ['{{#equal a a}}{{/equal}}', '{{#with (lookup a a)}}{{/with}}', '{{lookup a a}}']) {
      expect(() => rendered(reads, thousand, 'html', { steps: 1_000, length: 10_000 })).toThrow(RenderLimitError);
      expect(() => rendered(reads, thousand, 'html', { steps: 2_100, length: 10_000 })).not.toThrow();
    }
  });

  it('counts parentheses', () => {
    const lookups = `{{#with ${'(lookup '.repeat(20)}a${' 0)'.repeat(20)}}}{{/with}}`;
    expect(() => rendered(lookups, thousand, 'html', { steps: 20, length: 1 })).toThrow(RenderLimitError);
    expect(() => rendered(lookups, thousand, 'html', { steps: 21, length: 1 })).not.toThrow();
  });

  it('ends an output that grows', () => {
    const limits = { steps: 10_000, length: 10_000 };
    expect(() => rendered('{{x}}'.repeat(11), { x: 'y'.repeat(1_000) }, 'html', limits)).toThrow(RenderLimitError);
    expect(rendered('{{x}}'.repeat(10), { x: 'y'.repeat(1_000) }, 'html', limits)).toHaveLength(10_000);
    // Escaped, one character is five.
    expect(() => rendered('{{x}}', { x: '&'.repeat(2_001) }, 'html', limits)).toThrow(RenderLimitError);
  });
});
