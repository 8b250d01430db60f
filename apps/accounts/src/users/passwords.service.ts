import { Injectable } from '@nestjs/common';
import { hashPassword, Semaphore, verifyPassword } from '@lethe/service';
import { z } from 'zod';

/** A slow hash holds a worker thread and 19 MiB. */
const HASHES_AT_ONCE = 2;
const HASHES_WAITING = 32;
const MAX_OCTETS = 128;

/** What a user chooses (NIST SP 800-63B-4 §3.1.1.2): long enough that guessing does not pay, and nothing said about what is in it. */
export const chosenPassword = z
  .string('is missing')
  .min(12, 'must have at least 12 characters')
  .refine((text) => Buffer.byteLength(text) <= MAX_OCTETS, `must have at most ${MAX_OCTETS} octets`);
/** What somebody claims it is: whatever is longer is none, and is not hashed. */
export const claimedPassword = z
  .string('is missing')
  .refine((text) => Buffer.byteLength(text) <= MAX_OCTETS, `must have at most ${MAX_OCTETS} octets`);

/** Passwords of users, some at a time. */
@Injectable()
export class PasswordsService {
  private readonly hashing = new Semaphore(HASHES_AT_ONCE, HASHES_WAITING);
  private decoy: Promise<string> | undefined;

  /** Throws OverloadedError where too many wait already. */
  hash(password: string): Promise<string> {
    return this.hashing.run(() => hashPassword(password));
  }

  /** Where there is none to compare with it takes as long as where there is, so that nobody learns that from the time. */
  verify(password: string, hash: string | undefined): Promise<boolean> {
    return this.hashing.run(async () => {
      this.decoy ??= hashPassword('of nobody');
      const fits = await verifyPassword(password, hash ?? (await this.decoy));
      return fits && hash !== undefined;
    });
  }
}
