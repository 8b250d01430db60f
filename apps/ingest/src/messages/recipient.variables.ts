import { MailMerge, normalForm, parseAddress } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import type { Mailbox, OwnRecipient, SubmissionRecipient } from '../accept/submission.ts';
import type { Form } from '../form/form.parser.ts';

type Variables = Readonly<Record<string, unknown>>;

const FIELD = 'recipient-variables';
const MAX_OCTETS = 4 * 1024 * 1024;
/** Clients send one object for many messages to a part of its people each. */
const MAX_ADDRESSES = 5_000;
/** Delivery holds each recipient's message beside the one they are made from. */
export const MAX_GROWTH = 256 * 1024;

/**
 * `recipient-variables`: a JSON object of objects by bare address (mailgun-api §2). With it, even an empty one, each recipient gets a
 * message of their own.
 * @returns them by normal form; undefined where the form has none.
 * @throws ApiError 400 naming the field.
 */
export function readRecipientVariables(form: Form): ReadonlyMap<string, Variables> | undefined {
  const text = form.fields.get(FIELD)?.at(-1) ?? '';
  if (text.trim() === '') return undefined;
  if (Buffer.byteLength(text) > MAX_OCTETS)
    throw refuse(400, `'recipient-variables' is larger than ${MAX_OCTETS} octets`);
  const read = objectOf(text);
  if (!read) throw refuse(400, `'recipient-variables' must be a JSON object: {"address": {"key": "value"}}`);
  const variables = new Map<string, Variables>();
  if (Object.keys(read).length > MAX_ADDRESSES)
    throw refuse(400, `'recipient-variables' has more than ${MAX_ADDRESSES} addresses`);
  for (const [address, values] of Object.entries(read)) {
    const mailbox = parseAddress(address.trim(), FIELD);
    if (!mailbox.ok) throw refuse(400, `'recipient-variables' has a key that is not an address`);
    if (!isObject(values)) throw refuse(400, `'recipient-variables' has a value that is not a JSON object`);
    variables.set(normalForm(mailbox.value.address), values);
  }
  return variables;
}

/** The recipients as each other's strangers; who has no variables gets the message as it stands. */
export function each(recipients: readonly Mailbox[], variables: ReadonlyMap<string, Variables>): OwnRecipient[] {
  return recipients.map(({ address, name, normalForm: form }) => ({
    address,
    ...(name ? { name } : {}),
    normalForm: form,
    role: 'each',
    variables: variables.get(form) ?? {},
  }));
}

/** @throws ApiError 400 if somebody's values make the message larger than delivery takes. */
export function assertMergeable(raw: Buffer, recipients: readonly OwnRecipient[]): void {
  if (outgrows(raw, recipients)) {
    throw refuse(400, `'recipient-variables' makes the message more than ${MAX_GROWTH} octets larger`);
  }
}

/** Whether somebody's values add more than `MAX_GROWTH` octets. */
export function outgrows(raw: Buffer, recipients: readonly SubmissionRecipient[]): boolean {
  const merge = new MailMerge(raw);
  return recipients.some((recipient) => recipient.role === 'each' && merge.growth(recipient) > MAX_GROWTH);
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const refuse = (status: number, message: string): ApiError => new ApiError(status, message, { field: FIELD });
