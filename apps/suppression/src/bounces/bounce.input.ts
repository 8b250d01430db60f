import { maskAddresses, normalForm, parseAddress } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import { z } from 'zod';
import { readCreatedAt } from './created-at.ts';
import { invalid, missing } from './refusals.ts';

/** A bounce as a customer reports it. */
export interface BounceInput {
  /** In its canonical form; `normalForm` is what makes two of them one. */
  readonly address: string;
  readonly normalForm: string;
  readonly code: number;
  readonly error: string;
  readonly createdAt: Date;
}

export const MOST_BOUNCES = 1_000;
const DEFAULT_CODE = 550;
const MAX_ERROR = 1_024;

const text = z.string().nullish();
const record = z.object({
  address: text,
  /** A string or a number: clients differ. */
  code: z.union([z.string(), z.number()]).nullish(),
  error: text,
  created_at: text,
});

/** As clients see it in OpenAPI. */
export const bounceBody = z.union([record, z.array(record)]);

/**
 * One bounce from a form or a JSON object, or many from a JSON array.
 * @throws ApiError 400 naming the field; then none of them was taken.
 */
export function readBounces(body: unknown, now: number): { bounces: BounceInput[]; many: boolean } {
  if (!Array.isArray(body)) return { bounces: [readBounce(body ?? {}, '', now)], many: false };
  if (body.length === 0) throw missing('address');
  if (body.length > MOST_BOUNCES) throw new ApiError(400, `at most ${MOST_BOUNCES} bounces are taken at once`);
  return { bounces: body.map((one: unknown, index) => readBounce(one, `[${index}].`, now)), many: true };
}

function readBounce(value: unknown, place: string, now: number): BounceInput {
  const { success, data, error } = record.safeParse(value);
  if (!success) {
    const [name] = error.issues[0]?.path ?? [];
    throw invalid(`${place}${String(name ?? 'address')}`, 'one value is needed');
  }
  const field = `${place}address`;
  if (!data.address?.trim()) throw missing(field);
  const parsed = parseAddress(data.address.trim(), field);
  if (!parsed.ok) throw invalid(field, parsed.refusal.message);
  const { address } = parsed.value;
  return {
    address,
    normalForm: normalForm(address),
    code: readCode(data.code ?? '', `${place}code`),
    // It lies under this person's key; what it says of another would stay when that one is erased.
    error: maskAddresses(data.error ?? '', { maxLength: MAX_ERROR }),
    createdAt: readCreatedAt(data.created_at ?? undefined, `${place}created_at`, now) ?? new Date(now),
  };
}

function readCode(value: string | number, field: string): number {
  const code = String(value).trim();
  if (code === '') return DEFAULT_CODE;
  if (!/^[1-9]\d{2}$/.test(code)) throw invalid(field, 'an SMTP code has three digits');
  return Number(code);
}
