import type { z } from 'zod';

const LONGEST = 200;

/** Where a value leaves its contract, e.g. `recipient.role`. Names come from our schema; anything else is masked. */
export function contractPath(error: z.core.$ZodError): string {
  const path = error.issues[0]?.path ?? [];
  const steps = path.map((step) => {
    if (typeof step === 'number') return String(step);
    return typeof step === 'string' && /^\w{1,40}$/.test(step) ? step : '?';
  });
  return steps.join('.').slice(0, LONGEST) || '(value)';
}
