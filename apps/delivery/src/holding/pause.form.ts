import { parseInstant } from '@lethe/mail';
import { z } from 'zod';

const blank = (given: unknown): unknown => (given === '' || given === null ? undefined : given);

/** When a pause is to end by itself; absent: it does not. */
const until = z.preprocess(
  blank,
  z.coerce
    .string()
    .transform((text, context) => {
      const at = parseInstant(text);
      if (at !== undefined) return new Date(at);
      context.addIssue({ code: 'custom', message: 'must be an RFC 2822 date or epoch seconds' });
      return z.NEVER;
    })
    .optional(),
);

/** A client without anything to say may send no body at all. */
export const pauseForm = z.preprocess((given) => given ?? {}, z.strictObject({ until }));
export type PauseForm = z.infer<typeof pauseForm>;
