import { expect, it } from 'vitest';
import { hashPassword, isFastHash, newPassword, verifyPassword } from './password.ts';

it('a chosen password is hashed with argon2id under a salt of its own', async () => {
  const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(one).not.toBe(two);
  expect(isFastHash(one)).toBe(false);
  expect(await verifyPassword('correct horse', one)).toBe(true);
  expect(await verifyPassword('correct horsf', one)).toBe(false);
});

/** A vector of the reference implementation's own tests (phc-winner-argon2, test.c). */
it('reads what others wrote', async () => {
  const hash = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
  expect(await verifyPassword('password', hash)).toBe(true);
  expect(await verifyPassword('Password', hash)).toBe(false);
});

it('a generated password has 256 bits and a fast hash', async () => {
  const { password, hash } = newPassword();
  expect(Buffer.from(password, 'base64url')).toHaveLength(32);
  expect(hash).not.toContain(password);
  expect(isFastHash(hash)).toBe(true);
  expect(await verifyPassword(password, hash)).toBe(true);
  expect(await verifyPassword(`${password}x`, hash)).toBe(false);
});

it.each([
  '',
  'password',
  '$sha256$00',
  '$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
])('no password fits %j', async (hash) => {
  expect(await verifyPassword('password', hash)).toBe(false);
});
