import { randomUUID } from 'node:crypto';
import { Controller, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { ApiError, Caller, CONFIG, Operation, said, type Answer, type Identity } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type IngestConfig } from '../../config.ts';
import { readYesNo } from '../../form/fields.ts';
import { FORMS } from '../../messages/message.fields.ts';
import { ApiForms, type ApiForm } from '../../form/api.forms.ts';
import { namedList } from '../list.input.ts';
import { listShape, shownList } from '../list.ts';
import { ListsService } from '../lists.service.ts';
import { missing } from '../../form/refusals.ts';
import { csvMembers } from './member.csv.ts';
import { importFields, readMembers, type MemberInput } from './member.input.ts';
import { MembersService } from './members.service.ts';

const imported = said.extend({ list: listShape, 'task-id': z.string() });

/**
 * Many members at once (mailgun-api §10). They are there when the answer is: its `task-id` is for clients that look for one.
 * All are read before the first is added, so that what is refused has changed nothing.
 */
@Controller('v3/lists/:list')
export class ImportsController {
  constructor(
    private readonly lists: ListsService,
    private readonly members: MembersService,
    private readonly forms: ApiForms,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Operation('Add many members', { answer: imported, body: importFields, takes: FORMS })
  @Post('members.json')
  @HttpCode(200)
  json(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof imported>> {
    return this.forms.large(request, query, this.config.LIST_IMPORT_MAX_BYTES, async ({ fields }) => {
      const { row } = await this.lists.get(account, namedList(address));
      const members = readMembers(fields('members'), readYesNo(fields, 'subscribed'));
      await this.members.addAll(row, members, readYesNo(fields, 'upsert') ?? false);
      return this.imported(account, address);
    });
  }

  @Operation('Add the members of a file', { answer: imported, body: importFields, takes: FORMS })
  @Post('members.csv')
  @HttpCode(202)
  csv(
    @Caller() { account }: Identity,
    @Param('list') address: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof imported>> {
    return this.forms.large(request, query, this.config.LIST_IMPORT_MAX_BYTES, async (form) => {
      const { row } = await this.lists.get(account, namedList(address));
      const subscribed = readYesNo(form.fields, 'subscribed');
      const file = fileOf(form);
      const most = this.config.LIST_IMPORT_MAX_MEMBERS;
      const members: MemberInput[] = [];
      for (const member of csvMembers(file, subscribed)) {
        if (members.push(member) > most)
          throw new ApiError(400, `a file has at most ${most} members: send it in parts`);
      }
      if (members.length === 0) throw missing('members');
      await this.members.addAll(row, members, readYesNo(form.fields, 'upsert') ?? false);
      return this.imported(account, address);
    });
  }

  private async imported(account: string, address: string): Promise<Answer<typeof imported>> {
    const list = shownList(await this.lists.get(account, namedList(address)));
    return { message: 'Mailing list has been updated', list, 'task-id': randomUUID() };
  }
}

/** SDKs send the file as one, or as a field. */
function fileOf({ form, fields }: ApiForm): Buffer {
  const file = form.files.find(({ field }) => field === 'members')?.content ?? fields('members');
  if (file === undefined) throw missing('members');
  return typeof file === 'string' ? Buffer.from(file) : file;
}
