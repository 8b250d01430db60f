import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { Caller, CONFIG, listOf, Operation, paging, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { RouteConfig } from '@nestjs/platform-fastify';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { knownDomain } from '../domains/domain-name.ts';
import { keyItem, keyShape } from '../domains/domain-view.ts';
import { form } from '../domains/form.ts';
import { keyFilter, pageLinks, pageOf } from './dkim-key-page.ts';
import { ALGORITHMS } from './dkim-key-pair.ts';
import { DkimKeysService } from './dkim-keys.service.ts';
import { selector } from './selector.ts';

const MAX_PEM_OCTETS = 16_384;

const signingDomain = z.string('is missing');
const newKey = form({
  signing_domain: signingDomain,
  selector,
  // Taken as a wish: a key that is made here has 2048 bits (RFC 8301 §3.2).
  bits: z.coerce
    .number()
    .pipe(z.literal([1_024, 2_048], 'must be 1024 or 2048'))
    .optional(),
  // Mailgun has RSA alone; a key that is brought along says itself what it is.
  algorithm: z.enum(ALGORITHMS, 'must be rsa or ed25519').optional(),
  // A field or a file.
  pem: z
    .union([z.string(), z.instanceof(Buffer)], 'must be one text or file')
    .transform(String)
    .optional(),
});
const oneKey = form({ signing_domain: signingDomain, selector });

const keyList = listOf(keyShape).extend({ paging });
const madeKey = said.extend(keyShape.shape);

/** Mailgun's DKIM keys of all domains (mailgun-api §6). */
@Controller('v1/dkim/keys')
export class DkimKeysController {
  private readonly collection: string;

  constructor(
    private readonly keys: DkimKeysService,
    @Inject(CONFIG) config: AccountsConfig,
  ) {
    this.collection = `${config.PUBLIC_URL}/v1/dkim/keys`;
  }

  @Operation('List the DKIM keys of all domains', { answer: keyList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Query({ schema: keyFilter }) query: z.infer<typeof keyFilter>,
  ): Promise<Answer<typeof keyList>> {
    const [shown, total] = await this.keys.list(caller, pageOf(query));
    return {
      total_count: total,
      items: shown.map(({ key, domain }) => keyItem(domain, key)),
      paging: pageLinks(this.collection, query, shown),
    };
  }

  @Operation('Create or import a DKIM key', { answer: madeKey })
  @Post()
  @HttpCode(200)
  @RouteConfig({ multipartOptions: { limits: { files: 1, fileSize: MAX_PEM_OCTETS } } })
  async create(
    @Caller() caller: Identity,
    @Body({ schema: newKey }) body: z.infer<typeof newKey>,
  ): Promise<Answer<typeof madeKey>> {
    const name = knownDomain(body.signing_domain);
    const { key, domain } = await this.keys.create(caller, name, body.selector, body);
    return { message: 'Domain key has been created', ...keyItem(domain, key) };
  }

  @Operation('Delete a DKIM key', { answer: said })
  @Delete()
  async remove(
    @Caller() caller: Identity,
    @Query({ schema: oneKey }) query: z.infer<typeof oneKey>,
  ): Promise<{ message: string }> {
    await this.keys.remove(caller, knownDomain(query.signing_domain), query.selector);
    return { message: 'Domain key has been deleted' };
  }
}
