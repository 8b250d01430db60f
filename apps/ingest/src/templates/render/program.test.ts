import { describe, expect, it } from 'vitest';
import { parseTemplate } from './program.ts';

const refusal = (template: string): string => {
  try {
    parseTemplate(template, 'template');
  } catch (error) {
    return (error as Error).message.replace("'template' parameter is not valid: ", '');
  }
  return 'taken';
};

describe('what is refused of a template', () => {
  it.each([
    ['an open tag', 'a\nb {{name', 'it cannot be read as Handlebars in line 2'],
    ['an open block', '{{#if a}}x', 'it cannot be read as Handlebars in line 1'],
    ['a block closed as another', '{{#if a}}x{{/each}}', 'it cannot be read as Handlebars'],
    ['half a comment', '{{!-- x', 'it cannot be read as Handlebars in line 1'],
    ['a partial', '\n{{> other}}', 'partials and decorators are not taken (line 2)'],
    ['a partial block', '{{#> other}}x{{/other}}', 'partials and decorators are not taken (line 1)'],
    ['a decorator', '{{#*inline "x"}}y{{/inline}}', 'partials and decorators are not taken (line 1)'],
    ['a helper of nobody', '{{uppercase name}}', 'there is no helper of this name (line 1)'],
    ['a helper with options', '{{name x=1}}', 'there is no helper of this name (line 1)'],
    ['the log', '{{log name}}', 'there is no helper of this name (line 1)'],
    [
      'a helper in a block that is deep',
      '{{#if a}}{{#each b}}{{/each}}{{else}}{{up c}}{{/if}}',
      'there is no helper of this name (line 1)',
    ],
    ['a block of nobody', '{{#shout name}}x{{/shout}}', 'there is no block of this name (line 1)'],
    ['a block written as a value', '{{if name}}', "'if' is a block: write it with # (line 1)"],
    ['too few values', '{{#equal a}}x{{/equal}}', 'a helper takes 2 values here (line 1)'],
    ['too many values', '{{#if a b}}x{{/if}}', 'a helper takes 1 value here (line 1)'],
    ['an unknown option', '{{#each a b=1}}x{{/each}}', 'a helper has no such option (line 1)'],
    [
      'another helper in parentheses',
      '{{#if (equal a b)}}x{{/if}}',
      'only lookup, with two values, is taken in parentheses (line 1)',
    ],
    ['a literal for a name', '{{"name"}}', 'a tag needs a name (line 1)'],
    ['deep blocks', `${'{{#a}}'.repeat(60)}${'{{/a}}'.repeat(60)}`, 'its blocks stand more than 50 deep in each other'],
    [
      'deep parentheses',
      `{{#if ${'(lookup '.repeat(60)}a${' b)'.repeat(60)}}}{{/if}}`,
      'its parentheses stand more than 50 deep in each other (line 1)',
    ],
  ])('%s', (_name, template, expected) => {
    expect(refusal(template)).toBe(expected);
  });

  // Each of these costs the parser time by the square, or more, if it is let.
  it.each([
    ['nested blocks of few tokens', `${'{{#a}}'.repeat(501)}${'{{/a}}'.repeat(501)}`],
    ['nested blocks', `${'{{#a}}'.repeat(8_000)}${'{{/a}}'.repeat(8_000)}`],
    ['an endless else if', `{{#if a}}${'{{else if b}}'.repeat(7_000)}{{/if}}`],
    ['nested parentheses', `{{a ${'(a '.repeat(30_000)}${')'.repeat(30_000)}}}`],
    ['very many tags', '{{a}}'.repeat(20_000)],
    ['a path without an end', `{{a${'.a'.repeat(49_000)}}}`],
  ])('before it is parsed: %s', (_name, template) => {
    expect(refusal(template)).toBe('it has too many tags: split it');
  });

  it('says nothing of its text', () => {
    expect(refusal('secret@example.com {{#each secret}} secret {{/if}}')).not.toContain('secret');
  });

  it('takes what is no tag, however much', () => {
    for (const text of ['{ '.repeat(30_000), '\n'.repeat(100_000), '%recipient.name%', 'a } }} b']) {
      expect(refusal(text)).toBe('taken');
    }
  });
});
