import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { type IngestConfig } from '../config.ts';
import { readForm, type Form } from '../form/form.parser.ts';
import { MemoryBudget } from '../form/memory.budget.ts';
import { readLength } from '../messages/request.ts';
import { formFields, queryFields, type Fields } from '../form/fields.ts';

export interface ListForm {
  readonly fields: Fields;
  readonly form: Form;
}

const SMALL = 128 * 1024;
const MAX_PARTS = 50;
const NOTHING: Form = { fields: new Map(), files: [] };

/** Forms of this API, within the memory that messages have. */
@Injectable()
export class ListForms {
  constructor(
    private readonly budget: MemoryBudget,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /** What says something about one list or one member. */
  small(request: FastifyRequest, query: unknown): Promise<ListForm> {
    return this.read(request, query, SMALL, async (form) => form);
  }

  /** Many members: their room is held until `work` is done with them. @throws ApiError 413 over `LIST_IMPORT_MAX_BYTES`. */
  large<T>(request: FastifyRequest, query: unknown, work: (form: ListForm) => Promise<T>): Promise<T> {
    return this.read(request, query, this.config.LIST_IMPORT_MAX_BYTES, work);
  }

  private async read<T>(
    { raw, headers }: FastifyRequest,
    query: unknown,
    maxBytes: number,
    work: (form: ListForm) => Promise<T>,
  ): Promise<T> {
    const inQuery = queryFields(query);
    // A request without a body may come without a type, too; its parameters are in the query.
    if (headers['content-type'] === undefined && !hasBody(headers)) {
      return work({ fields: inQuery, form: NOTHING });
    }
    const length = readLength(headers['content-length']);
    const most = maxBytes + SMALL;
    if (length !== undefined && length > most) {
      throw new ApiError(413, `the form is larger than ${maxBytes} octets: send it in parts`);
    }
    return this.budget.run(length ?? most, async () => {
      const form = await readForm(raw, headers, { maxBytes: most, maxParts: MAX_PARTS });
      return work({ fields: formFields(form, inQuery), form });
    });
  }
}

const hasBody = (headers: FastifyRequest['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || (readLength(headers['content-length']) ?? 0) > 0;
