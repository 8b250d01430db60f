import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import type { SessionScope } from '@lethe/contracts';
import { ApiError } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { ROLES } from '../keys/roles.ts';

/**
 * What a customer's users may do: the rights that keys have. As with keys, what is about erasing people stands apart: an owner does not
 * hold it, and who holds it holds nothing else.
 */
const CUSTOMER = {
  owner: ROLES.admin,
  developer: ROLES.developer,
  analyst: [...ROLES.basic, 'templates:read', 'account:read'],
  support: [...ROLES.basic, 'messages:read', 'suppressions:write', 'lists:read'],
  privacy_officer: ROLES.privacy,
} as const satisfies Record<string, readonly SessionScope[]>;

/** On the side of whoever runs the platform: accounts, never what is in them. */
const OPERATOR = {
  admin: ['operator', 'operator:read', 'users:read', 'users:write'],
  support_staff: ['operator:read'],
  dpo: ['operator:read', 'users:read'],
} as const satisfies Record<string, readonly SessionScope[]>;

export const USER_ROLES = { ...CUSTOMER, ...OPERATOR };
export type UserRole = keyof typeof USER_ROLES;
export const USER_ROLE_NAMES = Object.keys(USER_ROLES) as [UserRole, ...UserRole[]];

/** What a session of that role may do; a limited one does nothing but what users do about themselves. */
export const scopesOf = (role: UserRole, limited: boolean): SessionScope[] => [
  ...(limited ? [] : USER_ROLES[role]),
  'session',
];

/** Throws ApiError 400 for a role of the other side. */
export function assertRoleOf(account: string, role: UserRole): void {
  const roles = Object.keys(account === PLATFORM_ACCOUNT ? OPERATOR : CUSTOMER);
  if (!roles.includes(role)) throw new ApiError(400, `role: must be one of ${roles.join(', ')}`, { field: 'role' });
}

/**
 * Who gives a role, changes it or lets its holder in anew could use it: nobody does that with rights they do not have, as with keys.
 * So an account's admin key and its owners see to all but privacy officers, and its privacy key and privacy officers to those.
 * Throws ApiError 403.
 */
export function assertMayGive(caller: Identity, role: UserRole): void {
  if (!USER_ROLES[role].every((scope) => caller.scopes.includes(scope))) {
    throw new ApiError(403, 'A role with rights that the caller does not have is out of their reach');
  }
}
