import { Injectable } from '@nestjs/common';
import { ApiError, callerOf } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { readLength } from '../messages/request.ts';
import { formFields, queryFields, type Fields } from './fields.ts';
import { readForm, type Form } from './form.parser.ts';
import { MemoryBudget } from './memory.budget.ts';

export interface ApiForm {
  readonly fields: Fields;
  readonly form: Form;
}

const SMALL = 128 * 1024;
const MAX_PARTS = 50;
const NOTHING: Form = { fields: new Map(), files: [] };

/** Forms that are no messages, within the memory that messages have. */
@Injectable()
export class ApiForms {
  constructor(private readonly budget: MemoryBudget) {}

  /** What says something about one list, one member, one template. */
  small(request: FastifyRequest, query: unknown): Promise<ApiForm> {
    return this.large(request, query, 0, async (form) => form);
  }

  /** What may be large: its room is held until `work` is done with it. @throws ApiError 413 over `maxBytes`. */
  async large<T>(
    request: FastifyRequest,
    query: unknown,
    maxBytes: number,
    work: (form: ApiForm) => Promise<T>,
  ): Promise<T> {
    const { raw, headers } = request;
    const inQuery = queryFields(query);
    // A request without a body may come without a type, too; its parameters are in the query.
    if (headers['content-type'] === undefined && !hasBody(headers)) {
      return work({ fields: inQuery, form: NOTHING });
    }
    const length = readLength(headers['content-length']);
    const most = maxBytes + SMALL;
    if (length !== undefined && length > most) {
      throw new ApiError(413, `the form is larger than ${most} octets: send it in parts`);
    }
    return this.budget.run(callerOf(request).account, length ?? most, async () => {
      const form = await readForm(raw, headers, { maxBytes: most, maxParts: MAX_PARTS });
      return work({ fields: formFields(form, inQuery), form });
    });
  }
}

const hasBody = (headers: FastifyRequest['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || (readLength(headers['content-length']) ?? 0) > 0;
