import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Whom a returned message was for: one recipient of one message. */
export interface ReturnPath {
  /** A UUID. */
  messageId: string;
  /** Which of its recipients, from 0; 32 bits. */
  ordinal: number;
}

const PREFIX = 'b-';
const ID_OCTETS = 16;
const NAMED_OCTETS = ID_OCTETS + 4;
/** 120 bits are guessed by nobody who has to ask a mail server, and with them there is nothing to pad. */
const MAC_OCTETS = 15;
/** Of five bits each: 56, so that the local part has 58 octets of the 64 that RFC 5321 §4.5.3.1.1 allows. */
const DIGITS = ((NAMED_OCTETS + MAC_OCTETS) * 8) / 5;
const FORM = new RegExp(`^${PREFIX}([0-9a-v]{${DIGITS}})$`, 'i');
/** What else is done with the key, if ever, begins in another way. */
const PURPOSE = 'return-path 1\0';

/**
 * The local part of the address that mail to this recipient is returned to: ids and a MAC, in base32 (RFC 4648 §7, lower case).
 * The same at every attempt. It tells nobody anything about the recipient, and without the key nobody makes one.
 */
export function makeReturnPath(key: KeyObject, { messageId, ordinal }: ReturnPath): string {
  const named = Buffer.alloc(NAMED_OCTETS);
  named.write(messageId.replaceAll('-', ''), 'hex');
  named.writeUInt32BE(ordinal, ID_OCTETS);
  const octets = Buffer.concat([named, mac(key, named)]);
  return (
    PREFIX +
    BigInt(`0x${octets.toString('hex')}`)
      .toString(32)
      .padStart(DIGITS, '0')
  );
}

/** Whom it was made for, in whatever case servers have passed it on; undefined: not by us, or not whole. */
export function readReturnPath(key: KeyObject, localPart: string): ReturnPath | undefined {
  const digits = FORM.exec(localPart)?.[1];
  if (digits === undefined) return undefined;
  let value = 0n;
  for (const digit of digits) value = value * 32n + BigInt(Number.parseInt(digit, 32));
  const octets = Buffer.from(value.toString(16).padStart((NAMED_OCTETS + MAC_OCTETS) * 2, '0'), 'hex');
  const named = octets.subarray(0, NAMED_OCTETS);
  if (!timingSafeEqual(mac(key, named), octets.subarray(NAMED_OCTETS))) return undefined;
  const messageId = named.toString('hex', 0, ID_OCTETS).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return { messageId, ordinal: named.readUInt32BE(ID_OCTETS) };
}

const mac = (key: KeyObject, named: Buffer): Buffer =>
  createHmac('sha256', key).update(PURPOSE).update(named).digest().subarray(0, MAC_OCTETS);
