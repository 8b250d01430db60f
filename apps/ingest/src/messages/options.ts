import { parseInstant } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import type { Form } from '../form/form.parser.ts';

/** What a submission asks for besides its content (`o:`, `h:`, `v:`; mailgun-api §2). */
export interface Options {
  readonly tags: readonly string[];
  readonly testMode: boolean;
  readonly dkim: boolean;
  readonly requireTls: boolean;
  /** Whether it can be unsubscribed from by a link; absent: as its domain says. */
  readonly unsubscribe?: boolean;
  /** Absent: as the domain's settings say. */
  readonly skipVerification?: boolean;
  /** When it is to be sent, epoch ms; absent or past: at once. */
  readonly deliverAt?: number;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly variables: Readonly<Record<string, unknown>>;
}

const MAX_OPTIONS_OCTETS = 16 * 1024;
const MAX_TAGS = 10;
const MAX_TAG_LENGTH = 128;

/** Accepted and without effect here: opens and clicks are not tracked, the others choose among times or IPs we lack. */
const WITHOUT_EFFECT =
  /^o:(tracking-(clicks|opens|pixel-location-top)|deliverytime-optimize-period|time-zone-localize|deliver-within|secondary-dkim(-public)?|sending-ip(-pool)?|suppress-headers|native-send)$/;
/** Known, and doing the opposite of what is asked if ignored. */
const NOT_YET = /^(o:archive-to|t:.*|template)$/;

const isOption = (name: string): boolean => /^[ohvt]:/.test(name) || NOT_YET.test(name);

/** @throws ApiError 400 naming the option. */
export function readOptions(form: Form): Options {
  assertOptionsFit(form);
  let testMode = false;
  let dkim = true;
  let requireTls = false;
  let skipVerification: boolean | undefined;
  let deliverAt: number | undefined;
  let unsubscribe: boolean | undefined;
  const tags: string[] = [];
  const headers: [string, string][] = [];
  const variables = new Map<string, unknown>();

  for (const [name, values] of form.fields) {
    if (!isOption(name)) continue;
    const last = values.at(-1) ?? '';
    if (NOT_YET.test(name)) {
      if (values.some((value) => value !== '')) throw new ApiError(400, `'${shown(name)}' is not supported yet`);
    } else if (name === 'o:tag') tags.push(...values.filter((value) => value !== '').map(readTag));
    else if (name === 'o:testmode') testMode = readBoolean(name, last);
    else if (name === 'o:dkim') dkim = readBoolean(name, last);
    else if (name === 'o:require-tls') requireTls = readBoolean(name, last);
    else if (name === 'o:tracking') unsubscribe = readTracking(name, last);
    else if (name === 'o:skip-verification') skipVerification = readBoolean(name, last);
    else if (name === 'o:deliverytime') deliverAt = readInstant(name, last);
    else if (name.startsWith('h:')) for (const value of values) headers.push([name.slice(2), value]);
    else if (name.startsWith('v:')) variables.set(readVariableName(name), readVariable(last));
    else if (!WITHOUT_EFFECT.test(name)) throw new ApiError(400, `'${shown(name)}' is not a known option`);
  }
  if (tags.length > MAX_TAGS) throw new ApiError(400, `'o:tag' has more than ${MAX_TAGS} values`);
  return {
    tags: [...new Set(tags)],
    testMode,
    dkim,
    requireTls,
    ...(unsubscribe === undefined ? {} : { unsubscribe }),
    ...(skipVerification === undefined ? {} : { skipVerification }),
    ...(deliverAt === undefined ? {} : { deliverAt }),
    headers,
    variables: Object.fromEntries(variables),
  };
}

/** @throws ApiError 400: they are held for each recipient. */
export function assertOptionsFit(form: Form): void {
  let octets = 0;
  for (const [name, values] of form.fields) {
    if (!isOption(name)) continue;
    octets += name.length + values.reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  }
  if (octets > MAX_OPTIONS_OCTETS) {
    throw new ApiError(400, `options (o:, h:, v:, t:) are larger than ${MAX_OPTIONS_OCTETS} octets together`);
  }
}

export function readBoolean(name: string, value: string): boolean {
  if (/^(yes|true|1)$/i.test(value)) return true;
  if (/^(no|false|0|)$/i.test(value)) return false;
  throw new ApiError(400, `'${name}' must be yes or no`);
}

/** All kinds of tracking at once; links are the only one there is. */
function readTracking(name: string, value: string): boolean | undefined {
  if (value === '') return undefined;
  return /^htmlonly$/i.test(value) || readBoolean(name, value);
}

/** Epoch ms, of an RFC 2822 date or epoch seconds. */
function readInstant(name: string, value: string): number | undefined {
  if (value.trim() === '') return undefined;
  const instant = parseInstant(value);
  if (instant === undefined) throw new ApiError(400, `'${name}' must be an RFC 2822 date or epoch seconds`);
  return instant;
}

function readTag(tag: string): string {
  if (tag.length > MAX_TAG_LENGTH || !/^[\x20-\x7e]+$/.test(tag)) {
    throw new ApiError(400, `'o:tag' must be up to ${MAX_TAG_LENGTH} printable ASCII characters`);
  }
  // Tags are shown, counted and kept in clear by their users: an address has no place there (design §4).
  if (looksLikeAddress(tag)) throw new ApiError(400, `'o:tag' must not be an e-mail address`);
  return tag.toLowerCase();
}

function readVariableName(name: string): string {
  const key = name.slice(2);
  if (key === '' || key.length > 128) throw new ApiError(400, `a 'v:' name must have 1 to 128 characters`);
  if (looksLikeAddress(key)) throw new ApiError(400, `a 'v:' name must not be an e-mail address`);
  return key;
}

/** Variables are JSON where they parse as an object or array, else the string as given. */
export function readVariable(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

export const looksLikeAddress = (text: string): boolean => /[^\s@]@[^\s@]+\.[^\s@.]/.test(text);
const shown = (name: string): string => (/^[\w:.-]{1,64}$/.test(name) ? name : name.slice(0, 2));
