import { said } from '@lethe/service';
import { z } from 'zod';

/** Of PostgreSQL's integer. */
const MOST = 2_147_483_647;

/** How many recipients are allowed in a time; `none` takes the limit away. */
export const limit = z.union(
  [z.literal('none').transform(() => null), z.coerce.number().int().min(0).max(MOST)],
  'must be a number of recipients, or none',
);

/** Mailgun's answer when a limit is set, or taken away. */
export const limitSet = said.extend({ success: z.boolean() });
