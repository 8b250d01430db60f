import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { Caller, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { knownDomain } from './domain-name.ts';
import { chosen, connectionOptions } from './domain-options.ts';
import type { Domain } from './domain.entity.ts';
import { DomainsService } from './domains.service.ts';
import { form } from './form.ts';

const changes = form(connectionOptions);

const connection = z.object({ require_tls: z.boolean(), skip_verification: z.boolean() });
const shown = z.object({ connection });
const changed = said.extend(connection.shape);

/** Mailgun's older place for two of a domain's options (mailgun-api §6); they are the same as in the domain. */
@Controller(['v3/domains/:name/connection', 'v4/domains/:name/connection'])
export class ConnectionController {
  constructor(private readonly domains: DomainsService) {}

  @Operation('Show how a domain connects', { answer: shown })
  @Get()
  async get(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof shown>> {
    return { connection: connectionOf((await this.domains.get(caller, knownDomain(name))).domain) };
  }

  @Operation('Change how a domain connects', { answer: changed })
  @Put()
  async update(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: changes }) body: z.infer<typeof changes>,
  ): Promise<Answer<typeof changed>> {
    const { domain } = await this.domains.update(caller, knownDomain(name), chosen(body));
    return { message: 'Domain connection settings have been updated', ...connectionOf(domain) };
  }
}

const connectionOf = ({ requireTls, skipVerification }: Domain): z.infer<typeof connection> => ({
  require_tls: requireTls,
  skip_verification: skipVerification,
});
