import { said } from '@lethe/service';
import { z } from 'zod';
import type { SessionRow } from './session.entity.ts';

export const sessionShape = z.object({ id: z.uuid(), created_at: z.string(), expires_at: z.string() });
/** What signing in answers, however it is done. */
export const begunSession = said.extend({ session: sessionShape });

export const sessionItem = ({ id, createdAt, expiresAt }: SessionRow): z.infer<typeof sessionShape> => ({
  id,
  created_at: createdAt.toISOString(),
  expires_at: expiresAt.toISOString(),
});
