import { EVENT_CLASS_BY_DAYS } from '@lethe/contracts';
import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiError, Caller, Operation, said, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import type { Account } from '../accounts/account.entity.ts';
import type { Domain } from '../domains/domain.entity.ts';
import { knownDomain } from '../domains/domain-name.ts';
import { form } from '../domains/form.ts';
import { MOST_DAYS } from './instructed.ts';
import { RetentionSettingsService } from './retention-settings.service.ts';

const BODIES = `must be whole days, from 0 to 7, or to ${MOST_DAYS} by a recorded written instruction`;
const bodiesDays = z.int(BODIES).min(0, BODIES).max(MOST_DAYS, BODIES);
const EVENTS = 'must be 1, 3, 7, 14 or 30';
const eventsDays = z.literal(Object.keys(EVENT_CLASS_BY_DAYS).map(Number), EVENTS);

const which = form({ domain: z.string('is one domain name').max(253).optional() });
const wanted = z.strictObject(
  { bodies_days: bodiesDays.nullable().optional(), events_days: eventsDays.nullable().optional() },
  'send a JSON object',
);

/** `domain` and `own` are a domain's; `instruction` an account's that may keep bodies for longer than a week. */
const settings = z.object({
  domain: z.string().optional(),
  bodies_days: z.int(),
  events_days: z.int(),
  own: z.object({ bodies_days: z.boolean(), events_days: z.boolean() }).optional(),
  instruction: z.object({ id: z.uuid(), bodies_days: z.int(), valid_to: z.string() }).optional(),
});
const changed = said.extend(settings.shape);

/** `/v1/privacy/retention/settings`: how long bodies can be read and events are found. */
@Controller('v1/privacy/retention/settings')
export class RetentionSettingsController {
  constructor(private readonly retention: RetentionSettingsService) {}

  @Operation('Show how long bodies and events are kept, of the account or of `domain`', { answer: settings })
  @Get()
  async show(
    @Caller() caller: Identity,
    @Query({ schema: which }) { domain }: z.infer<typeof which>,
  ): Promise<Answer<typeof settings>> {
    if (domain === undefined) return this.ofAccount(caller, await this.retention.ofAccount(caller));
    return ofDomain(await this.retention.ofDomain(caller, knownDomain(domain)));
  }

  @Operation('Change how long bodies and events are kept, of the account or of `domain`', {
    answer: changed,
    description:
      'An account speaks for its domains that have not chosen; `null` gives a domain back what its account has. What is there already ' +
      'and is older than that is neither shown nor found from then on, and is removed within the hour.',
    takes: ['application/json'],
  })
  @Put()
  async change(
    @Caller() caller: Identity,
    @Query({ schema: which }) { domain }: z.infer<typeof which>,
    @Body({ schema: wanted }) { bodies_days: bodies, events_days: events }: z.infer<typeof wanted>,
  ): Promise<Answer<typeof changed>> {
    const message = 'Retention has been updated';
    if (domain !== undefined) {
      const days = { bodiesDays: bodies, eventsDays: events };
      return { message, ...ofDomain(await this.retention.setOfDomain(caller, knownDomain(domain), days)) };
    }
    if (bodies === null || events === null) {
      throw new ApiError(400, 'domain: is missing: null is for a domain, which then has what its account has', {
        field: 'domain',
      });
    }
    const days = { bodiesDays: bodies, eventsDays: events };
    return { message, ...(await this.ofAccount(caller, await this.retention.setOfAccount(caller, days))) };
  }

  private async ofAccount(caller: Identity, { bodiesDays: bodies, eventsDays: events }: Account) {
    const instruction = await this.retention.instruction(caller);
    const inForce = instruction && {
      instruction: {
        id: instruction.id,
        bodies_days: instruction.bodiesDays,
        valid_to: instruction.validTo.toISOString(),
      },
    };
    return { bodies_days: bodies, events_days: events, ...inForce };
  }
}

const ofDomain = ({ name, ...domain }: Domain) => ({
  domain: name,
  bodies_days: domain.bodiesDays,
  events_days: domain.eventsDays,
  own: { bodies_days: domain.ownBodiesDays, events_days: domain.ownEventsDays },
});
