import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import { ApiError, Caller, CONFIG, Operation, paged, type Answer, type Identity } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { type EventsConfig } from '../config.ts';
import { eventShape, presentEvent } from './event.presenter.ts';
import { eventFields, readEventQuery } from './event.query.ts';
import { EventsService, type FoundPage } from './events.service.ts';
import { PageTokens, type Page } from './page.token.ts';

const eventPage = paged(eventShape);

/** `GET /v3/{domain}/events` (mailgun-api §3). */
@Controller('v3/:domain/events')
export class EventsController {
  constructor(
    private readonly events: EventsService,
    private readonly tokens: PageTokens,
    @Inject(CONFIG) private readonly config: EventsConfig,
  ) {}

  @Operation('Search events', { answer: eventPage, query: eventFields })
  @Get()
  async first(
    @Caller() caller: Identity,
    @Param('domain') name: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<typeof eventPage>> {
    const domainId = domainOf(caller);
    const query = readEventQuery(new URL(request.url, 'http://localhost').searchParams);
    return this.page(caller.account, domainId, name, { query, cursor: null, backwards: false });
  }

  /** The token is one path segment, of any length; parameters a client repeats beside it are in it already. */
  @Operation('A further page of events', { answer: eventPage, below: '{token}' })
  @Get('*')
  async following(
    @Caller() caller: Identity,
    @Param('domain') name: string,
    @Param('*') token: string,
  ): Promise<Answer<typeof eventPage>> {
    const domainId = domainOf(caller);
    return this.page(caller.account, domainId, name, await this.tokens.read(caller.account, domainId, token));
  }

  private async page(account: string, domainId: string, name: string, page: Page): Promise<Answer<typeof eventPage>> {
    const found = await this.events.read(account, domainId, page);
    const { PUBLIC_URL: base } = this.config;
    const segment = encodeURIComponent(name);
    const link = async (which: Exclude<keyof FoundPage, 'events'>): Promise<string> =>
      `${base}/v3/${segment}/events/${await this.tokens.write(account, domainId, found[which])}`;
    const [next, previous, first, last] = await Promise.all([
      link('next'),
      link('previous'),
      link('first'),
      link('last'),
    ]);
    const items = found.events.map((event) => presentEvent(event, `${base}/v3/domains/${segment}`));
    return { items, paging: { next, previous, first, last } };
  }
}

/** The gateway looked up the path's domain, in whatever spelling, and vouches that it is the account's. */
function domainOf({ domain }: Identity): string {
  if (domain === undefined) throw new ApiError(404, 'Domain not found');
  return domain;
}
