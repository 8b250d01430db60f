import { z } from 'zod';

/**
 * Fields of a form, a query or JSON. A field without a value is one that was not sent: Mailgun's clients leave out, or send
 * empty, what they have nothing to say about, and a PUT without a body is as good as an empty one.
 */
export const form = <S extends z.ZodRawShape>(shape: S) => z.preprocess(withoutBlanks, z.object(shape));

function withoutBlanks(input: unknown): unknown {
  if (input === undefined || input === null) return {};
  if (typeof input !== 'object' || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== '' && value !== null));
}

const WORDS: ReadonlyMap<unknown, boolean> = new Map([
  ['yes', true],
  ['true', true],
  ['1', true],
  ['no', false],
  ['false', false],
  ['0', false],
]);

/** A boolean in any spelling of Mailgun's clients (mailgun-api §1). */
export const yesNo = z.union([z.string(), z.boolean(), z.number()], 'must be yes or no').transform((given, context) => {
  const meant = WORDS.get(String(given).toLowerCase());
  if (meant !== undefined) return meant;
  context.addIssue({ code: 'custom', message: 'must be yes or no' });
  return z.NEVER;
});

/** What nobody here can do yet. Saying that it is off is fine; asking for it is refused, instead of being taken and forgotten. */
export const notYet = yesNo.refine((wanted) => !wanted, 'is not supported yet');
