import { ApiError, Caller, Clock, listOf, Operation, said, type Answer, type Identity } from '@lethe/service';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { assertOperator } from '../accounts/operator.ts';
import { form } from '../domains/form.ts';
import { MOST_DAYS, WEEK_DAYS } from './instructed.ts';
import { InstructionsService, type Instruction } from './instructions.service.ts';

/** Who signs something writes down who may end it. */
const LONGEST_MS = 10 * 366 * 86_400_000;
const DAYS = `must be whole days, from ${WEEK_DAYS + 1} to ${MOST_DAYS}`;

const time = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339: 2026-11-29T12:00:00Z' })
  .transform((text) => new Date(text));
const wanted = z
  .strictObject(
    {
      account: z.uuid('is no id of an account'),
      bodies_days: z
        .int(DAYS)
        .min(WEEK_DAYS + 1, DAYS)
        .max(MOST_DAYS, DAYS),
      document_sha256: z.string('is missing').regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits'),
      signed_by: z.string('is missing').trim().min(1, 'is missing').max(256, 'has up to 256 characters'),
      signed_at: time,
      valid_from: time,
      valid_to: time,
    },
    'send a JSON object',
  )
  .refine(({ valid_from: from, valid_to: to }) => from < to && to.getTime() - from.getTime() <= LONGEST_MS, {
    path: ['valid_to'],
    message: 'must be after valid_from, by ten years at most',
  });
const page = form({
  account: z.uuid('is no id of an account').optional(),
  limit: z.coerce.number('must be a number').int().min(1).max(1_000).default(100),
  skip: z.coerce.number('must be a number').int().min(0).default(0),
});

const instructionShape = z.object({
  id: z.uuid(),
  account: z.uuid(),
  bodies_days: z.int(),
  document_sha256: z.string(),
  signed_by: z.string(),
  signed_at: z.string(),
  valid_from: z.string(),
  valid_to: z.string(),
  recorded_at: z.string(),
  state: z.enum(['coming', 'in-force', 'over']),
  ended_at: z.string().nullable(),
  ended_by: z.string().nullable(),
});
const recorded = said.extend({ instruction: instructionShape });
const instructionId = z.uuid('is no id of an instruction');
const instructionList = listOf(instructionShape);

/** `/v1/privacy/retention/instructions`: the one way to keep bodies for longer than a week (Art. 28(3)(a) GDPR). */
@Controller('v1/privacy/retention/instructions')
export class InstructionsController {
  constructor(
    private readonly instructions: InstructionsService,
    private readonly clock: Clock,
  ) {}

  @Operation('Record the written instruction of an account to keep bodies for longer than a week', {
    answer: recorded,
    description:
      'The document stays with whoever runs the platform; its SHA-256 says which it is. From `valid_from` to `valid_to` the account keeps ' +
      'bodies for `bodies_days`, or less if it chooses so. Mail is not tried for longer. After it the account keeps them for as long as it ' +
      'has chosen itself, a week at most, and what is older is gone within the hour.',
    takes: ['application/json'],
  })
  @Post()
  @HttpCode(200)
  async record(
    @Caller() caller: Identity,
    @Body({ schema: wanted }) body: z.infer<typeof wanted>,
  ): Promise<Answer<typeof recorded>> {
    assertOperator(caller);
    const now = this.clock.now();
    if (body.signed_at.getTime() > now) {
      throw new ApiError(400, 'signed_at: is in the future', { field: 'signed_at' });
    }
    if (body.valid_to.getTime() <= now) throw new ApiError(400, 'valid_to: is over', { field: 'valid_to' });
    const instruction = await this.instructions.record({
      accountId: body.account,
      bodiesDays: body.bodies_days,
      documentSha256: body.document_sha256.toLowerCase(),
      signedBy: body.signed_by,
      signedAt: body.signed_at,
      validFrom: body.valid_from,
      validTo: body.valid_to,
    });
    return { message: 'Instruction has been recorded', instruction: item(instruction) };
  }

  @Operation('End a written instruction before its time', {
    answer: recorded,
    description:
      'One that was recorded for the wrong account, or that its controller has withdrawn. The record stays, with when and by whom it was ' +
      'ended. The account is at once back at what it has chosen itself, or at what another instruction says, and what is older than that ' +
      'is gone within the hour. One that is over already is answered as it is.',
  })
  @Post(':id/end')
  @HttpCode(200)
  async end(
    @Caller() caller: Identity,
    @Param('id', { schema: instructionId }) id: string,
  ): Promise<Answer<typeof recorded>> {
    assertOperator(caller);
    return { message: 'Instruction is over', instruction: item(await this.instructions.end(caller, id)) };
  }

  @Operation('List written instructions, of `account` or of all', { answer: instructionList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Query({ schema: page }) query: z.infer<typeof page>,
  ): Promise<Answer<typeof instructionList>> {
    assertOperator(caller, 'operator:read');
    const [instructions, total] = await this.instructions.list(query);
    return { total_count: total, items: instructions.map(item) };
  }
}

const item = (instruction: Instruction): z.infer<typeof instructionShape> => ({
  id: instruction.id,
  account: instruction.accountId,
  bodies_days: instruction.bodiesDays,
  document_sha256: instruction.documentSha256,
  signed_by: instruction.signedBy,
  signed_at: instruction.signedAt.toISOString(),
  valid_from: instruction.validFrom.toISOString(),
  valid_to: instruction.validTo.toISOString(),
  recorded_at: instruction.createdAt.toISOString(),
  state: instruction.state,
  ended_at: instruction.endedAt?.toISOString() ?? null,
  ended_by: instruction.endedBy,
});
