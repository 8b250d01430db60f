import { HOLDERS } from '@lethe/contracts';
import type { Answer } from '@lethe/service';
import { z } from 'zod';
import { tally } from './holders/tally.ts';
import type { AnswerRow, RequestRecord } from './request.repository.ts';
import { ASKED_STEPS, STATES, TYPES, type AskedStep } from './request.ts';

/** What a row holds sealed, opened. */
export interface TypedText {
  readonly reference: string | null;
  readonly overrideReason: string | null;
}

const counts = z.record(z.string(), z.int());
const instant = z.string();
const holderShape = z.object({
  service: z.enum(HOLDERS),
  step: z.enum(ASKED_STEPS).nullable(),
  state: z.enum(['waiting', 'asked', 'acknowledged', 'failed']),
  attempts: z.int(),
  acknowledged_at: instant.nullable(),
  found: counts,
  removed: counts,
  residual: counts,
  error: z.string().nullable(),
});
type ShownHolder = z.infer<typeof holderShape>;

export const requestShape = z.object({
  id: z.uuid(),
  type: z.enum(TYPES),
  /** Of an `account-erasure` alone. */
  account: z.uuid().optional(),
  state: z.enum(STATES),
  reference: z.string().nullable(),
  subjects: z.int(),
  do_not_contact: z.string(),
  override_reason: z.string().nullable(),
  received_at: instant,
  cut_off: instant.nullable(),
  due_at: instant,
  completed_at: instant.nullable(),
  holders: z.array(holderShape),
  history: z.array(z.object({ at: instant, state: z.enum(STATES), by: z.string() })),
  links: z.object({ self: z.string(), certificate: z.string(), archive: z.string().nullable() }),
});
export type RequestView = Answer<typeof requestShape>;

/** A request in the shape of the contract. */
export function requestView(row: RequestRecord, typed: TypedText, self: string): RequestView {
  return {
    id: row.id,
    type: row.type,
    ...(row.type === 'account-erasure' ? { account: row.account_id } : {}),
    state: row.state,
    reference: typed.reference,
    subjects: row.subjects,
    do_not_contact: row.do_not_contact,
    override_reason: typed.overrideReason,
    received_at: row.received_at.toISOString(),
    cut_off: row.cut_off?.toISOString() ?? null,
    due_at: row.due_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    holders: HOLDERS.map((service) => holderView(service, row.answers)),
    history: row.history.map(({ at, state, by }) => ({ at: at.toISOString(), state, by })),
    links: { self, certificate: `${self}/certificate`, archive: null },
  };
}

/** How far one holder is: of the last step it was asked for, and what it counted on the way. */
function holderView(service: ShownHolder['service'], answers: readonly AnswerRow[]): ShownHolder {
  const own = answers.filter((answer) => answer.service === service);
  const of = (step: AskedStep): AnswerRow | undefined => own.find((answer) => answer.step === step);
  const last = ASKED_STEPS.map(of).findLast((answer) => answer !== undefined);
  const [erase, verify] = [of('erase'), of('verify')];
  const { found, removed } = tally(
    of('survey')?.found ?? {},
    { found: erase?.found ?? {}, removed: erase?.removed ?? {} },
    verify && verify.acknowledged_at !== null ? verify.residual : null,
  );
  return {
    service,
    step: last?.step ?? null,
    state: stateOf(last),
    attempts: last ? last.attempts - (last.step === 'verify' ? surveys(answers) : 0) : 0,
    acknowledged_at: last?.acknowledged_at?.toISOString() ?? null,
    found,
    removed,
    residual: verify?.residual ?? {},
    error: last?.error ?? null,
  };
}

/** The last look's attempts are counted on from the survey's, of which it is shown without. */
const surveys = (answers: readonly AnswerRow[]): number =>
  Math.max(0, ...answers.filter(({ step }) => step === 'survey').map(({ attempts }) => attempts));

function stateOf(answer: AnswerRow | undefined): ShownHolder['state'] {
  if (answer === undefined || answer.attempts === 0) return 'waiting';
  if (answer.acknowledged_at !== null) return 'acknowledged';
  return answer.error === null ? 'asked' : 'failed';
}
