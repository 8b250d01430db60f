import { z } from 'zod';

/** RFC 6376 §3.1; one label is what every DNS console can be given. */
export const selector = z
  .string('is missing')
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i, 'must be one label of a domain name')
  .transform((text) => text.toLowerCase());
