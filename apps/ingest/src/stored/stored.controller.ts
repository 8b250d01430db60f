import type { Readable } from 'node:stream';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { Caller, CONFIG, Operation, said, type Answer, type Identity } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type IngestConfig } from '../config.ts';
import { FORMS, resendFields } from '../messages/message.fields.ts';
import { queued, queuedAnswer } from '../messages/request.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { jsonPieces, sendWhole } from './answer.stream.ts';
import { ReadingBudget } from './reading.budget.ts';
import { ResendService } from './resend.service.ts';
import { notFound, StoredService } from './stored.service.ts';
import { attachmentView, parsedView, rawView, storedShape } from './stored.view.ts';

/** What showing a message takes, in its size: itself, its texts decoded, and what decoding needs. */
const COPIES = 2;
/** Some envelopes at a time, sealed and open. */
const ENVELOPES_ROOM = 1024 * 1024;

const AS_MIME = 'As it was composed, in the field body-mime, with `Accept: message/rfc2822`';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/**
 * Stored messages (mailgun-api §2). A storage key is one path segment of any length, and what is none is a key that leads nowhere:
 * so everything below the collection comes here.
 */
@Controller('v3/domains/:domain/messages')
export class StoredController {
  constructor(
    private readonly domains: SendingDomains,
    private readonly stored: StoredService,
    private readonly resends: ResendService,
    private readonly budget: ReadingBudget,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Operation('Show a stored message', { below: '{key}', description: AS_MIME, answer: storedShape })
  @Operation('An attachment of a stored message', {
    below: '{key}/attachments/{index}',
    answers: ['application/octet-stream'],
  })
  @Get('*')
  async get(
    @Caller() caller: Identity,
    @Param('*') path: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const domain = this.domains.owned(caller);
    const { key, attachment } = readPath(path);
    const message = await this.stored.find(key, domain);
    await this.budget.run(caller.account, COPIES * message.size + ENVELOPES_ROOM, async () => {
      // Its client may have left while it waited.
      if (reply.raw.destroyed) return;
      const raw = await this.stored.raw(message);
      if (attachment !== undefined) {
        const shown = attachmentView(raw, attachment);
        if (!shown) throw notFound();
        return this.send(reply, shown.headers, shown.content);
      }
      const about = {
        envelopes: await this.stored.envelopes(message, domain),
        url: `${this.config.PUBLIC_URL}/v3/domains/${encodeURIComponent(domain.name)}/messages/${message.id}`,
      };
      const view = isForMime(request) ? rawView(raw, about) : parsedView(raw, about);
      return this.send(reply, JSON_TYPE, jsonPieces(view));
    });
  }

  /** Whoever keeps a copy on the way does not hear that the message was removed. */
  private send(
    reply: FastifyReply,
    headers: Readonly<Record<string, string>>,
    payload: Readable | Buffer,
  ): Promise<void> {
    return sendWhole(reply.headers({ ...headers, 'cache-control': 'no-store' }), payload, this.config.STORED_SEND_MS);
  }

  @Operation('Send a stored message again', { answer: queuedAnswer, below: '{key}', body: resendFields, takes: FORMS })
  @Post('*')
  @HttpCode(200)
  async resend(
    @Caller() caller: Identity,
    @Param('*') path: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<typeof queuedAnswer>> {
    return queued(await this.resends.resend(path, caller, request));
  }

  @Operation('Delete a stored message', { answer: said, below: '{key}' })
  @Delete('*')
  async remove(@Caller() caller: Identity, @Param('*') path: string): Promise<{ message: string }> {
    await this.stored.remove(path, this.domains.owned(caller));
    return { message: 'Message has been deleted' };
  }
}

function readPath(path: string): { key: string; attachment?: number } {
  const [, key, index] = /^([^/]*)\/attachments\/(\d{1,4})$/.exec(path) ?? [];
  return key === undefined ? { key: path } : { key, attachment: Number(index) };
}

const isForMime = ({ headers }: FastifyRequest): boolean => /\bmessage\/rfc(2822|822)\b/i.test(headers.accept ?? '');
