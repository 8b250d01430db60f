import { z } from 'zod';

/** What a user shows besides the password: a code of the authenticator, or a recovery code. */
export const shownCode = z.string('is missing').max(64, 'has up to 64 characters');
