import { z } from 'zod';
import { code, count, counts, duration, flag, id, instant, literal, word } from '../fields.ts';
import { SERVICES } from '../services.ts';

const common = {
  requestId: id(),
  service: code(SERVICES),
  /** Of the command that is answered. */
  attempt: count(),
  at: instant(),
};

/** Of every answer about people: how many subject ids the command had, so that an answer to another one is noticed. */
const scope = {
  ...common,
  subjects: count(),
  /** The command was about a whole account: who does not know of those answers without it, and is not believed. */
  closing: flag().optional(),
};

export const fenceReply = z.object({ ...scope, step: literal('fence'), outcome: literal('done') });

/** Records by kind, such as `{ event: 12 }`. `kept` is what stays for a while, and why. */
export const eraseReply = z.object({
  ...scope,
  step: literal('erase'),
  outcome: literal('done'),
  found: counts(),
  removed: counts(),
  /** Where bytes were deleted from files for good, when. */
  expungedAt: instant().optional(),
});

export const verifyReply = z.object({
  ...scope,
  step: literal('verify'),
  outcome: literal('done'),
  residual: counts(),
});

export const inFlightReply = z.object({
  ...common,
  step: literal('in-flight'),
  outcome: literal('done'),
  messages: z.array(id()),
});

/** The oldest record of one store. `null`: it is empty. */
export const reading = z.object({
  store: word(),
  class: word(),
  limitSeconds: duration(),
  oldestAt: instant().nullable(),
});
export type Reading = z.infer<typeof reading>;

export const measureReply = z.object({
  ...common,
  step: literal('measure'),
  outcome: literal('done'),
  readings: z.array(reading),
});

/** It could not be done now; `error` is a code, never text. It is asked again. */
export const failedReply = z.object({
  ...common,
  step: literal('failed'),
  outcome: literal('failed'),
  of: code(['fence', 'erase', 'verify', 'in-flight', 'measure']),
  error: word(),
  retryable: flag(),
});

export const privacyReply = z.discriminatedUnion('step', [
  fenceReply,
  eraseReply,
  verifyReply,
  inFlightReply,
  measureReply,
  failedReply,
]);
export type PrivacyReply = z.infer<typeof privacyReply>;
export type EraseReply = z.infer<typeof eraseReply>;
export type VerifyReply = z.infer<typeof verifyReply>;
