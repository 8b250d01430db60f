import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG, paged, type Answer } from '@lethe/service';
import type { PrivacyConfig } from '../config.ts';
import { type Page, PageTokens } from './page.token.ts';
import type { RequestFilter } from './request.form.ts';
import { type RequestRecord, RequestRepository } from './request.repository.ts';
import { requestShape, requestView, type RequestView } from './request.view.ts';
import { TypedTexts } from './typed.texts.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const requestList = paged(requestShape);

/** Requests as their account sees them. */
@Injectable()
export class RequestReader {
  private readonly base: string;

  constructor(
    private readonly requests: RequestRepository,
    private readonly texts: TypedTexts,
    private readonly pages: PageTokens,
    @Inject(CONFIG) config: PrivacyConfig,
  ) {
    this.base = `${config.PUBLIC_URL}/v1/privacy/requests`;
  }

  /** Throws ApiError 404, also for another account's. */
  async record(account: string, id: string): Promise<RequestRecord> {
    const record = UUID.test(id) ? await this.requests.find(account, id) : undefined;
    if (!record) throw new ApiError(404, 'Request not found');
    return record;
  }

  async show(account: string, id: string): Promise<RequestView> {
    return this.view(await this.record(account, id));
  }

  async list(account: string, filter: RequestFilter): Promise<Answer<typeof requestList>> {
    const page =
      filter.page === undefined ? await this.firstPage(account, filter) : await this.pages.read(account, filter.page);
    const rows = await this.requests.list(account, page);
    const { cursor, backwards } = page;
    const link = async (place: Pick<Page, 'cursor' | 'backwards'>): Promise<string> =>
      `${this.base}?page=${await this.pages.write(account, { filter: page.filter, ...place })}`;
    // An empty page keeps its place, so that asking again later returns what has arrived since.
    const [first, next, previous, last] = await Promise.all([
      link({ cursor: null, backwards: false }),
      link({ cursor: rows.at(-1)?.id ?? (backwards ? null : cursor), backwards: false }),
      link({ cursor: rows[0]?.id ?? (backwards ? cursor : null), backwards: true }),
      link({ cursor: null, backwards: true }),
    ]);
    return { items: await Promise.all(rows.map((row) => this.view(row))), paging: { first, next, previous, last } };
  }

  private async firstPage(
    account: string,
    { state, type, due_before, reference, limit }: RequestFilter,
  ): Promise<Page> {
    const hash = await this.texts.referenceHash(account, reference);
    return {
      filter: { state, type, dueBefore: due_before, reference: hash?.toString('base64url'), limit },
      cursor: null,
      backwards: false,
    };
  }

  private async view(record: RequestRecord): Promise<RequestView> {
    const { id, account_id: account } = record;
    const [reference, overrideReason] = await Promise.all([
      this.texts.open(account, id, 'reference', record.reference),
      this.texts.open(account, id, 'override_reason', record.override_reason),
    ]);
    return requestView(record, { reference, overrideReason }, `${this.base}/${id}`);
  }
}
