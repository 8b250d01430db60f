import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { parseAddress } from '@lethe/mail';
import { ApiError, Caller, Clock, CONFIG, Operation, paged, said, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import type { SuppressionConfig } from '../config.ts';
import { DomainsTable } from '../settings/domains.table.ts';
import { bounceBody, readBounces } from './bounce.input.ts';
import { pageFields, pageLinks, readPageQuery } from './bounce.page.ts';
import { BouncesService, type Bounce, type ListOf } from './bounces.service.ts';

const bounceShape = z.object({ address: z.string(), code: z.string(), error: z.string(), created_at: z.string() });
const bounceList = paged(bounceShape);
const changed = said.extend({ address: z.string().optional() });

/** Mailgun's bounces (mailgun-api §5). */
@Controller('v3/:domain/bounces')
export class BouncesController {
  private readonly publicUrl: string;

  constructor(
    private readonly bounces: BouncesService,
    private readonly domains: DomainsTable,
    private readonly clock: Clock,
    @Inject(CONFIG) config: SuppressionConfig,
  ) {
    this.publicUrl = config.PUBLIC_URL;
  }

  @Operation('List bounces', { answer: bounceList, query: pageFields })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Param('domain') name: string,
    @Query() given: unknown,
  ): Promise<Answer<typeof bounceList>> {
    const query = readPageQuery(given);
    const { items, edges } = await this.bounces.list(this.of(name, caller), query);
    const collection = `${this.publicUrl}/v3/${encodeURIComponent(name)}/bounces`;
    return { items: items.map(shown), paging: pageLinks(collection, query, edges) };
  }

  @Operation('Show a bounce', { answer: bounceShape })
  @Get(':address')
  async get(
    @Caller() caller: Identity,
    @Param('domain') name: string,
    @Param('address') address: string,
  ): Promise<Answer<typeof bounceShape>> {
    const bounce = await this.bounces.get(this.of(name, caller), known(address));
    if (!bounce) throw notFound();
    return shown(bounce);
  }

  @Operation('Add one bounce or many', { answer: changed, body: bounceBody })
  @Post()
  @HttpCode(200)
  async add(
    @Caller() caller: Identity,
    @Param('domain') name: string,
    @Body() body: unknown,
  ): Promise<Answer<typeof changed>> {
    const list = this.of(name, caller);
    const { bounces, many } = readBounces(body, this.clock.now());
    await this.bounces.add(list, bounces);
    if (many) return { message: `${bounces.length} addresses have been added to the bounces table` };
    return { message: 'Address has been added to the bounces table', address: bounces[0]?.address };
  }

  @Operation('Delete a bounce', { answer: changed })
  @Delete(':address')
  async remove(
    @Caller() caller: Identity,
    @Param('domain') name: string,
    @Param('address') given: string,
  ): Promise<Answer<typeof changed>> {
    const address = known(given);
    if (!(await this.bounces.remove(this.of(name, caller), address))) throw notFound();
    return { message: 'Bounced address has been removed', address };
  }

  @Operation('Delete all bounces of a domain', { answer: said })
  @Delete()
  async removeAll(@Caller() caller: Identity, @Param('domain') name: string): Promise<Answer<typeof said>> {
    await this.bounces.removeAll(this.of(name, caller));
    return { message: 'Bounced addresses for this domain have been removed' };
  }

  private of(name: string, caller: Identity): ListOf {
    return { account: caller.account, domainId: this.domains.idOf(name, caller) };
  }
}

/** `code` is a string here, and the date RFC 1123: one wrong type fails a whole page in the Go SDK. */
const shown = ({ address, code, error, createdAt }: Bounce): z.infer<typeof bounceShape> => ({
  address,
  code: String(code),
  error,
  created_at: createdAt.toUTCString(),
});

/** What is no address is in no list either. */
function known(text: string): string {
  const parsed = parseAddress(text, 'address');
  if (!parsed.ok) throw notFound();
  return parsed.value.address;
}

const notFound = (): ApiError => new ApiError(404, 'Address not found in bounces table');
