import { z } from 'zod';

/** The request by which a closed account is erased, and where it is seen. */
export const closingOrder = z.object({ id: z.uuid().nullable(), self: z.string() });
