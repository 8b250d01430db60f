import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { normalForm, parseAddress } from '@lethe/mail';
import { Caller, CONFIG, listOf, Operation, paged, said, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import { type IngestConfig } from '../../config.ts';
import { queryFields, readYesNo } from '../../form/fields.ts';
import { FORMS } from '../../messages/message.fields.ts';
import { ApiForms } from '../../form/api.forms.ts';
import { namedList } from '../list.input.ts';
import { ListsService } from '../lists.service.ts';
import { offsetFields, pageFields, pageLinks, readOffsetQuery, readPageQuery } from '../page.ts';
import { memberFields, readChange, readMember, subscribedField } from './member.input.ts';
import { memberShape, shownMember } from './member.ts';
import { MembersService } from './members.service.ts';

const membersByOffset = listOf(memberShape);
const memberPage = paged(memberShape);
const oneMember = memberShape.extend({ member: memberShape });
const changedMember = said.extend({ member: memberShape });
const removedMember = said.extend({ member: z.object({ address: z.string() }) });

/** Members of mailing lists (mailgun-api §10). One is answered flat for some clients, and nested for others. */
@Controller('v3/lists/:list/members')
export class MembersController {
  constructor(
    private readonly lists: ListsService,
    private readonly members: MembersService,
    private readonly forms: ApiForms,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Operation('List members, by offset', { answer: membersByOffset, query: offsetFields.extend(subscribedField.shape) })
  @Get()
  async offset(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Query() query: unknown,
  ): Promise<Answer<typeof membersByOffset>> {
    const { row } = await this.lists.get(account, namedList(address));
    const { items, total } = await this.members.offset(row, readOffsetQuery(queryFields(query)));
    return { items: items.map(shownMember), total_count: total };
  }

  @Operation('List members', { answer: memberPage, query: pageFields.extend(subscribedField.shape) })
  @Get('pages')
  async pages(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Query() given: unknown,
  ): Promise<Answer<typeof memberPage>> {
    const list = await this.lists.get(account, namedList(address));
    const query = readPageQuery(queryFields(given));
    const { items, edges } = await this.members.page(list.row, query);
    const collection = `${this.config.PUBLIC_URL}/v3/lists/${encodeURIComponent(list.address)}/members/pages`;
    return { items: items.map(shownMember), paging: pageLinks(collection, query, edges) };
  }

  @Operation('Add a member', { answer: changedMember, body: memberFields, takes: FORMS })
  @Post()
  @HttpCode(200)
  async add(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof changedMember>> {
    const { fields } = await this.forms.small(request, query);
    const { row } = await this.lists.get(account, namedList(address));
    const member = await this.members.add(row, readMember(fields), readYesNo(fields, 'upsert') ?? false);
    return { message: 'Mailing list member has been created', member: shownMember(member) };
  }

  @Operation('Show a member', { answer: oneMember })
  @Get(':member')
  async get(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Param('member') member: string,
  ): Promise<Answer<typeof oneMember>> {
    const { row } = await this.lists.get(account, namedList(address));
    const shown = shownMember(await this.members.get(row, named(member)));
    return { member: shown, ...shown };
  }

  @Operation('Change a member', {
    answer: changedMember,
    body: memberFields.omit({ upsert: true }).partial(),
    takes: FORMS,
  })
  @Put(':member')
  async update(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Param('member') member: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof changedMember>> {
    const { fields } = await this.forms.small(request, query);
    const { row } = await this.lists.get(account, namedList(address));
    const changed = await this.members.update(row, named(member), readChange(fields));
    return { message: 'Mailing list member has been updated', member: shownMember(changed) };
  }

  @Operation('Remove a member', { answer: removedMember })
  @Delete(':member')
  async remove(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Param('member') given: string,
  ): Promise<Answer<typeof removedMember>> {
    const { row } = await this.lists.get(account, namedList(address));
    const member = await this.members.remove(row, named(given));
    return { message: 'Mailing list member has been deleted', member: { address: member } };
  }
}

/** What is no address is nobody's. */
function named(text: string): string | undefined {
  const parsed = parseAddress(text, 'address');
  return parsed.ok ? normalForm(parsed.value.address) : undefined;
}
