import { z } from 'zod';
import { code, count, id, instant, literal } from '../fields.ts';

/**
 * What `privacy` asks of every holder of personal data, by subject id (design §8). A holder may get a command any number of
 * times and answers each; `attempt` tells the answers apart.
 */
const common = {
  /** The request it belongs to; of a measurement or a release, an id of its own. */
  requestId: id(),
  /** From 1; counts how often this step was asked of this request. */
  attempt: count(),
  at: instant(),
};

/** Whom it is about, towards one account. No pseudonym and no address: a holder knows people by their subject ids alone. */
const scope = {
  ...common,
  accountId: id(),
  /** Subject ids; at most `MAX_SUBJECT_IDS`. */
  subjects: z.array(id()),
  /** When the vault cut these subjects off: what was accepted later belongs to somebody new. */
  cutOff: instant(),
  /**
   * The account is closed: it is about all that is held of it, of whomever, and names no subjects. Its domains are named, because
   * they may be gone from everybody's table by then.
   */
  closing: z.object({ domains: z.array(id()) }).optional(),
};

/** What an erasure leaves of a suppression: `default` keeps it exactly where somebody had said stop themselves. */
export const DO_NOT_CONTACT = ['keep', 'remove', 'default'] as const;
export type DoNotContact = (typeof DO_NOT_CONTACT)[number];

/** Answer once nothing of these subjects that began before the cut-off can still be sent or written by this service. */
export const fenceCommand = z.object({ ...scope, step: literal('fence') });
/** Remove what is held of them; answer what was found and what was removed. */
export const eraseCommand = z.object({ ...scope, step: literal('erase'), doNotContact: code(DO_NOT_CONTACT) });
/** Look, and change nothing; answer what is there. Asked before `erase`, and at the end for what is left. */
export const verifyCommand = z.object({ ...scope, step: literal('verify') });
/** Of `delivery`: which of these messages are still being sent to anyone. */
export const inFlightCommand = z.object({ ...common, step: literal('in-flight'), messages: z.array(id()) });
/** Of everyone: the oldest record of each store (design §7). */
export const measureCommand = z.object({ ...common, step: literal('measure') });

export const privacyCommand = z.discriminatedUnion('step', [
  fenceCommand,
  eraseCommand,
  verifyCommand,
  inFlightCommand,
  measureCommand,
]);
export type PrivacyCommand = z.infer<typeof privacyCommand>;
export type PrivacyStep = PrivacyCommand['step'];

/** A command of so many ids stays well below what one record may hold. */
export const MAX_SUBJECT_IDS = 10_000;
export const MAX_MESSAGE_IDS = 5_000;
export const MAX_DOMAIN_IDS = 10_000;
