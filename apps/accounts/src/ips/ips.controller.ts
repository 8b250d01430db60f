import { Controller, Get, Inject, Query } from '@nestjs/common';
import { CONFIG, Operation } from '@lethe/service';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { form, yesNo } from '../domains/form.ts';

const filter = form({ dedicated: yesNo.optional() });

/** Mailgun's IPs (mailgun-api §11), read alone: all accounts share the addresses of the installation. */
@Controller('v3/ips')
export class IpsController {
  constructor(@Inject(CONFIG) private readonly config: AccountsConfig) {}

  /** `details` has every item, in the same order: mailgun-go looks there unchecked. */
  @Operation('List the addresses that mail is sent from')
  @Get()
  list(@Query({ schema: filter }) { dedicated }: z.infer<typeof filter>): unknown {
    const items = dedicated === true ? [] : this.config.SENDING_ADDRESSES;
    return { items, total_count: items.length, details: items.map((ip) => ({ ip, is_on_warmup: false })) };
  }
}
