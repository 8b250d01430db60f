import { z } from 'zod';
import { USER_ROLE_NAMES } from './user-roles.ts';
import type { KnownUser } from './users.service.ts';

export const userShape = z.object({
  id: z.uuid(),
  account: z.uuid().nullable(),
  email: z.string(),
  name: z.string(),
  role: z.enum(USER_ROLE_NAMES),
  state: z.enum(['invited', 'active']),
  second_factor: z.boolean(),
  provider: z.boolean(),
  created_at: z.string(),
});

export const userItem = ({ row, person }: KnownUser): z.infer<typeof userShape> => ({
  id: row.id,
  account: row.accountId,
  email: person.address,
  name: person.name,
  role: row.role,
  state: row.secrets === null && row.identity === null ? 'invited' : 'active',
  second_factor: row.totpStep !== null,
  provider: row.identity !== null,
  created_at: row.createdAt.toISOString(),
});
