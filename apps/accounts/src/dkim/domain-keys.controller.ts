import { Body, Controller, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiError, Caller, CONFIG, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { knownDomain } from '../domains/domain-name.ts';
import { domainView, keyItem, keyShape, sendingRecordsShape } from '../domains/domain-view.ts';
import { DomainsService } from '../domains/domains.service.ts';
import { form, yesNo } from '../domains/form.ts';
import { DkimKeysService } from './dkim-keys.service.ts';
import { selector } from './selector.ts';

const wantedSelector = form({ dkim_selector: selector.optional() });
const wantedAuthority = form({ self: yesNo.optional() });

const keyList = z.object({ items: z.array(keyShape) });
const switched = said.extend({ authority: z.string(), selector: z.string(), active: z.boolean() });

/** Mailgun's DKIM keys of one domain, which is its own authority (mailgun-api §6). */
@Controller(['v3/domains/:name', 'v4/domains/:name'])
export class DomainKeysController {
  constructor(
    private readonly keys: DkimKeysService,
    private readonly domains: DomainsService,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  @Operation('List the DKIM keys of a domain', { answer: keyList })
  @Get('keys')
  async list(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof keyList>> {
    const keys = await this.keys.ofDomain(caller, knownDomain(name));
    return { items: keys.map(({ key, domain }) => keyItem(domain, key)) };
  }

  @Operation('Sign with a DKIM key', { answer: switched })
  @Put('keys/:selector/activate')
  async activate(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('selector') given: string,
  ): Promise<Answer<typeof switched>> {
    const { key, domain } = await this.keys.activate(caller, knownDomain(name), given.toLowerCase());
    return { message: 'domain key activated', authority: domain.name, selector: key.selector, active: key.active };
  }

  @Operation('Stop signing with a DKIM key', { answer: switched })
  @Put('keys/:selector/deactivate')
  async deactivate(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('selector') given: string,
  ): Promise<Answer<typeof switched>> {
    const { key, domain } = await this.keys.deactivate(caller, knownDomain(name), given.toLowerCase());
    return { message: 'domain key deactivated', authority: domain.name, selector: key.selector, active: key.active };
  }

  /** The value comes in the query (JavaScript, PHP) or in the body (Go). */
  @Operation('Change the DKIM selector', { answer: said })
  @Put('dkim_selector')
  async changeSelector(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: wantedSelector }) body: z.infer<typeof wantedSelector>,
    @Query({ schema: wantedSelector }) query: z.infer<typeof wantedSelector>,
  ): Promise<{ message: string }> {
    const wanted = body.dkim_selector ?? query.dkim_selector;
    if (wanted === undefined) throw new ApiError(400, 'dkim_selector: is missing', { field: 'dkim_selector' });
    await this.keys.changeSelector(caller, knownDomain(name), wanted);
    return { message: 'Domain DKIM selector updated' };
  }

  @Operation('Be the DKIM authority, as every domain is for itself', { answer: sendingRecordsShape })
  @Put('dkim_authority')
  async changeAuthority(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: wantedAuthority }) body: z.infer<typeof wantedAuthority>,
    @Query({ schema: wantedAuthority }) query: z.infer<typeof wantedAuthority>,
  ): Promise<Answer<typeof sendingRecordsShape>> {
    const { sending_dns_records } = domainView(await this.domains.get(caller, knownDomain(name)), this.config);
    if ((body.self ?? query.self) !== true) {
      throw new ApiError(400, 'self: must be yes, as every domain is its own DKIM authority', { field: 'self' });
    }
    return { message: 'Domain is the DKIM authority for itself already', changed: false, sending_dns_records };
  }
}
