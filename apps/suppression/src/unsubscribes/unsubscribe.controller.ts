import { Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { Operation } from '@lethe/service';
import { ForgottenError } from '@lethe/vault';
import { askPage, donePage, GONE_PAGE, PAGE_HEADERS } from './unsubscribe.page.ts';
import { UnsubscribeService } from './unsubscribe.service.ts';

/** What of an answer is said here. */
interface Reply {
  status(code: number): { headers(headers: Readonly<Record<string, string>>): unknown };
}

/** Where the link in a message leads (RFC 8058). Scanners follow links, so that looking at it changes nothing. */
@Controller('unsubscribe/:link')
export class UnsubscribeController {
  constructor(private readonly unsubscribes: UnsubscribeService) {}

  @Operation('Show what the link in a message is for', { answers: ['text/html'] })
  @Get()
  async ask(@Param('link') link: string, @Res({ passthrough: true }) reply: Reply): Promise<string> {
    const who = await this.unsubscribes.read(link);
    return who ? shown(reply, 200, askPage(who.domain.name)) : shown(reply, 404, GONE_PAGE);
  }

  /** Whatever the body says: mail servers post `List-Unsubscribe=One-Click`, and the link alone tells who. */
  @Operation('Unsubscribe by the link in a message, with one click', { answers: ['text/html'] })
  @Post()
  @HttpCode(200)
  async unsubscribe(@Param('link') link: string, @Res({ passthrough: true }) reply: Reply): Promise<string> {
    const who = await this.unsubscribes.read(link);
    if (!who) return shown(reply, 404, GONE_PAGE);
    try {
      await this.unsubscribes.unsubscribe(who);
      return shown(reply, 200, donePage(who.domain.name));
    } catch (error) {
      if (!(error instanceof ForgottenError)) throw error;
      return shown(reply, 404, GONE_PAGE);
    }
  }
}

function shown(reply: Reply, status: number, html: string): string {
  void reply.status(status).headers(PAGE_HEADERS);
  return html;
}
