import type { Scope } from '@lethe/contracts';

/**
 * What a key of each role may do. Mailgun's roles, and `privacy`, which stands apart: no other role erases anybody. What was
 * written to people is read by those who may write it, not by `basic`, which looks at what became of it.
 */
export const ROLES = {
  admin: [
    'messages:write',
    'messages:read',
    'events:read',
    'domains:read',
    'domains:write',
    'keys:read',
    'keys:write',
    'account:read',
    'account:write',
    'suppressions:read',
    'suppressions:write',
    'lists:read',
    'lists:write',
    'templates:read',
    'templates:write',
    'users:read',
    'users:write',
  ],
  developer: [
    'messages:write',
    'messages:read',
    'events:read',
    'domains:read',
    'domains:write',
    'suppressions:read',
    'suppressions:write',
    'lists:read',
    'lists:write',
    'templates:read',
    'templates:write',
  ],
  basic: ['events:read', 'domains:read', 'suppressions:read'],
  sending: ['messages:write'],
  // With it privacy officers are invited, and nobody else (users/user-roles.ts), and keys like it are made and deleted.
  privacy: ['privacy:read', 'privacy:write', 'users:read', 'users:write', 'keys:read', 'keys:write'],
  // May stand in a web page, so it may do nothing that matters: Mailgun's validates addresses, which nobody serves here yet.
  public: [],
} as const satisfies Record<string, readonly Scope[]>;

export type Role = keyof typeof ROLES;
/** Those that can be asked for; the public key is made by a call of its own. */
export const ROLE_NAMES = Object.keys(ROLES).filter((role) => role !== 'public') as [Role, ...Role[]];
