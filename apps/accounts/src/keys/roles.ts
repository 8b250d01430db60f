import type { Scope } from '@lethe/contracts';

/**
 * What a key of each role may do. Mailgun's roles, and `privacy`, which stands apart: no other role holds its scopes. What was
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
  ],
  basic: ['events:read', 'domains:read', 'suppressions:read'],
  sending: ['messages:write'],
  privacy: ['privacy:read', 'privacy:write'],
} as const satisfies Record<string, readonly Scope[]>;

export type Role = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]];
