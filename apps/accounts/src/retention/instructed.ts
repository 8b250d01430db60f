import { RETENTION } from '@lethe/contracts';
import { IsNull, LessThanOrEqual, MoreThan, type EntityManager } from 'typeorm';
import { InstructionRow } from './instruction.entity.ts';

const DAY = 86_400_000;

/** What nobody needs an instruction for. */
export const WEEK_DAYS = RETENTION.body.limitMs / DAY;
/** What no instruction goes beyond: who a message is for is known for as long, and no longer. */
export const MOST_DAYS = RETENTION.instructed.limitMs / DAY;

/** The instruction in force that lets bodies be kept longest; null: there is none. */
export function instructionInForce(
  manager: EntityManager,
  accountId: string,
  now: Date,
): Promise<InstructionRow | null> {
  return manager.findOne(InstructionRow, {
    where: { accountId, validFrom: LessThanOrEqual(now), validTo: MoreThan(now), endedAt: IsNull() },
    order: { bodiesDays: 'DESC', validTo: 'DESC' },
  });
}

/** How many days an account may keep bodies at most. */
export async function mostDays(manager: EntityManager, accountId: string, now: Date): Promise<number> {
  return (await instructionInForce(manager, accountId, now))?.bodiesDays ?? WEEK_DAYS;
}
