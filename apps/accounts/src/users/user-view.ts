import type { KnownUser } from './users.service.ts';

export const userItem = ({ row, person }: KnownUser): Record<string, unknown> => ({
  id: row.id,
  account: row.accountId,
  email: person.address,
  name: person.name,
  role: row.role,
  state: row.secrets === null ? 'invited' : 'active',
  created_at: row.createdAt.toISOString(),
});
