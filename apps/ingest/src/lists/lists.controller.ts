import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { Caller, CONFIG, listOf, Operation, paged, said, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import { type IngestConfig } from '../config.ts';
import { queryFields } from '../form/fields.ts';
import { FORMS } from '../messages/message.fields.ts';
import { ApiForms } from '../form/api.forms.ts';
import { listFields, namedList, readList, readNewList } from './list.input.ts';
import { listShape, shownList } from './list.ts';
import { ListsService } from './lists.service.ts';
import { offsetFields, pageFields, pageLinks, readOffsetQuery, readPageQuery } from './page.ts';

const listsByOffset = listOf(listShape);
const listPage = paged(listShape);
const oneList = z.object({ list: listShape });
const changedList = said.extend({ ...oneList.shape, ...listShape.shape });
const removedList = said.extend({ address: z.string() });

/** Mailing lists (mailgun-api §10). A list that is made or changed is answered nested for some clients, and flat for others. */
@Controller('v3/lists')
export class ListsController {
  private readonly collection: string;

  constructor(
    private readonly lists: ListsService,
    private readonly forms: ApiForms,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.collection = `${config.PUBLIC_URL}/v3/lists`;
  }

  @Operation('List mailing lists, by offset', { answer: listsByOffset, query: offsetFields })
  @Get()
  async offset(@Caller() { account }: Identity, @Query() query: unknown): Promise<Answer<typeof listsByOffset>> {
    const { items, total } = await this.lists.offset(account, readOffsetQuery(queryFields(query)));
    return { items: items.map(shownList), total_count: total };
  }

  @Operation('List mailing lists', { answer: listPage, query: pageFields })
  @Get('pages')
  async pages(@Caller() { account }: Identity, @Query() given: unknown): Promise<Answer<typeof listPage>> {
    const query = readPageQuery(queryFields(given));
    const { items, edges } = await this.lists.page(account, query);
    return { items: items.map(shownList), paging: pageLinks(`${this.collection}/pages`, query, edges) };
  }

  @Operation('Create a mailing list', { answer: changedList, body: listFields, takes: FORMS })
  @Post()
  @HttpCode(200)
  async create(
    @Caller() { account }: Identity,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof changedList>> {
    const { fields } = await this.forms.small(request, query);
    const list = shownList(await this.lists.create(account, readNewList(fields)));
    return { message: 'Mailing list has been created', list, ...list };
  }

  @Operation('Show a mailing list', { answer: oneList })
  @Get(':list')
  async get(@Caller() { account }: Identity, @Param('list') address: string): Promise<Answer<typeof oneList>> {
    return { list: shownList(await this.lists.get(account, namedList(address))) };
  }

  @Operation('Change a mailing list', { answer: changedList, body: listFields.partial(), takes: FORMS })
  @Put(':list')
  async update(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof changedList>> {
    const { fields } = await this.forms.small(request, query);
    const list = shownList(await this.lists.update(account, namedList(address), readList(fields)));
    return { message: 'Mailing list has been updated', list, ...list };
  }

  @Operation('Delete a mailing list and its members', { answer: removedList })
  @Delete(':list')
  async remove(@Caller() { account }: Identity, @Param('list') given: string): Promise<Answer<typeof removedList>> {
    const address = await this.lists.remove(account, namedList(given));
    return { message: 'Mailing list has been removed', address };
  }
}
