import { Controller, Get, Inject, Query } from '@nestjs/common';
import { CONFIG, listOf, Operation, type Answer } from '@lethe/service';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { form, yesNo } from '../domains/form.ts';

const filter = form({ dedicated: yesNo.optional() });

const addressList = listOf(z.string()).extend({
  details: z.array(z.object({ ip: z.string(), is_on_warmup: z.boolean() })),
});

/** Mailgun's IPs (mailgun-api §11), read alone: all accounts share the addresses of the installation. */
@Controller('v3/ips')
export class IpsController {
  constructor(@Inject(CONFIG) private readonly config: AccountsConfig) {}

  /** `details` has every item, in the same order: mailgun-go looks there unchecked. */
  @Operation('List the addresses that mail is sent from', { answer: addressList })
  @Get()
  list(@Query({ schema: filter }) { dedicated }: z.infer<typeof filter>): Answer<typeof addressList> {
    const items = dedicated === true ? [] : this.config.SENDING_ADDRESSES;
    return { items, total_count: items.length, details: items.map((ip) => ({ ip, is_on_warmup: false })) };
  }
}
