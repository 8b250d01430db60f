import { MAX_SUBJECT_IDS } from '@lethe/contracts';
import { normalForm, parseAddress } from '@lethe/mail';
import { z } from 'zod';
import { STATES, TYPES } from './request.ts';

const MAX_SUBJECTS = 5_000;
const MAX_PAGE = 300;

/** Becomes its normal form: the address as it was typed goes no further than this file. */
const address = z.string('must be an address').transform((text, context) => {
  const parsed = parseAddress(text, 'address');
  if (parsed.ok) return normalForm(parsed.value.address);
  context.addIssue({ code: 'custom', message: parsed.refusal.message });
  return z.NEVER;
});

const subject = z.strictObject(
  { address, aliases: z.array(address, 'must be a list of addresses').default([]) },
  'must be an object with an address',
);

/** Text of the controller's own, kept sealed. */
const typed = (characters: number) =>
  z
    .string('must be a text')
    .min(1, 'must not be empty')
    .max(characters, `must have at most ${characters} characters`)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be valid text');

/** The body of `POST /v1/privacy/requests`. */
export const newRequest = z
  .strictObject(
    {
      type: z.literal('erasure', 'must be erasure: the other types come later'),
      subjects: z
        .array(subject, 'must be a list of subjects')
        .min(1, 'must name at least one subject')
        .max(MAX_SUBJECTS, `must name at most ${MAX_SUBJECTS} subjects`),
      reference: typed(500).optional(),
      do_not_contact: z.enum(['keep', 'remove'], 'must be keep or remove').optional(),
      override_reason: typed(2_000).optional(),
      callback_url: z.undefined('is not supported yet: ask for the state of the request').optional(),
    },
    'send a JSON object',
  )
  .refine(({ subjects }) => identifiers(subjects) <= MAX_SUBJECT_IDS, {
    path: ['subjects'],
    message: `must name at most ${MAX_SUBJECT_IDS} addresses and aliases together`,
  })
  .refine(({ do_not_contact, override_reason }) => override_reason === undefined || do_not_contact === 'remove', {
    path: ['override_reason'],
    message: 'belongs to do_not_contact remove alone',
  });
export type NewRequest = z.infer<typeof newRequest>;

/** Query of `GET /v1/privacy/requests`. */
export const requestFilter = z.strictObject({
  state: z.enum(STATES, `must be one of ${STATES.join(', ')}`).optional(),
  type: z.enum(TYPES, `must be one of ${TYPES.join(', ')}`).optional(),
  due_before: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2026-11-28T10:00:00Z' })
    .transform((text) => new Date(text).getTime())
    .optional(),
  reference: z.string().max(500, 'must have at most 500 characters').optional(),
  limit: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(MAX_PAGE, `must be at most ${MAX_PAGE}`)
    .default(100),
  page: z.string().optional(),
});
export type RequestFilter = z.infer<typeof requestFilter>;

function identifiers(subjects: readonly { aliases: readonly string[] }[]): number {
  return subjects.reduce((sum, { aliases }) => sum + 1 + aliases.length, 0);
}
