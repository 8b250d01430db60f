import { isIP } from 'node:net';
import { said, type Answer } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Fields, headers and boundaries a form has around its message. */
export const FORM_OVERHEAD = 1024 * 1024;

/** Mailgun's answer to whoever hands a message in; the brackets belong to the id. */
export const queuedAnswer = said.extend({ id: z.string() });
type QueuedAnswer = Answer<typeof queuedAnswer>;

export const queued = (messageId: string): QueuedAnswer => ({ id: `<${messageId}>`, message: 'Queued. Thank you.' });

/** The gateway says who its client is and passes nothing on that the client said about it. */
export function clientAddress(headers: FastifyRequest['headers']): { originatingIp?: string } {
  const address = headers['x-forwarded-for'];
  return typeof address === 'string' && isIP(address) !== 0 ? { originatingIp: address } : {};
}

export function readLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
