import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Mailbox, ReceivedMessage } from './mailbox.ts';
import { page } from './page.ts';
import type { SmtpMoment, SmtpStats } from './smtp-server.ts';
import type { Zone } from './zone.ts';

const HOST = '127.0.0.1';
const MAX_BODY_BYTES = 65_536;

interface Parts {
  mailbox: Mailbox;
  stats: SmtpStats;
  moments: readonly SmtpMoment[];
  zone: Zone;
}

/**
 * What tests and people see of the world: `GET /`, `GET|DELETE /messages[?to=&limit=]`, `GET /messages/<id>` (the raw
 * message as text), `GET /count[?to=]`, `GET /stats`, `GET /moments` (what happened in sessions), `PUT /dns {name, type, value}`,
 * `PUT /dns/signed {name, signed}`. Loopback only, no key.
 */
export async function startHttpServer(parts: Parts, port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    handle(parts, request, response).catch((error: unknown) => {
      const status = error instanceof RangeError || error instanceof SyntaxError ? 400 : 500;
      const message = error instanceof Error ? error.message : 'unknown error';
      if (response.headersSent) response.destroy();
      else sendJson(response, status, { message });
    });
  });
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function handle(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A page elsewhere may point a name of its own at loopback (DNS rebinding); the mail here is none of its business.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) {
    return sendJson(response, 403, { message: 'ask for 127.0.0.1 or localhost' });
  }
  const url = new URL(request.url ?? '/', 'http://world');
  const to = url.searchParams.get('to') ?? undefined;
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      response.setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
      return send(response, 200, 'text/html; charset=utf-8', page(parts.mailbox, parts.stats));
    case 'GET /messages':
      return sendMessages(response, parts.mailbox.select(to, limitOf(url)));
    case 'DELETE /messages':
      parts.mailbox.clear();
      return sendJson(response, 200, { message: 'all messages are gone' });
    case 'GET /count': {
      let count = to === undefined ? parts.mailbox.size : 0;
      if (to !== undefined) for (const _ of parts.mailbox.select(to)) count++;
      return sendJson(response, 200, { count });
    }
    case 'GET /stats':
      return sendJson(response, 200, { ...parts.stats, kept: parts.mailbox.size, dropped: parts.mailbox.dropped });
    case 'GET /moments':
      return sendJson(response, 200, parts.moments);
    case 'PUT /dns':
      return register(parts.zone, response, await body(request));
    case 'PUT /dns/signed':
      return sign(parts.zone, response, await body(request));
  }
  const id = /^\/messages\/(\d{1,15})$/.exec(url.pathname)?.[1];
  const message = id === undefined || request.method !== 'GET' ? undefined : parts.mailbox.get(Number(id));
  if (message) return send(response, 200, 'text/plain; charset=utf-8', message.raw);
  return sendJson(response, 404, { message: 'not here; see GET / for what is' });
}

function register(zone: Zone, response: ServerResponse, text: string): void {
  const record = JSON.parse(text) as { name?: unknown; type?: unknown; value?: unknown };
  const values: unknown[] = Array.isArray(record.value) ? record.value : [record.value];
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  if (typeof record.name !== 'string' || typeof record.type !== 'string' || !values.every(isText)) {
    throw new RangeError('send {"name": "…", "type": "TXT", "value": "…"}; value may be a list');
  }
  zone.register(record.name, record.type, values as string[]);
  sendJson(response, 200, { message: 'registered' });
}

function sign(zone: Zone, response: ServerResponse, text: string): void {
  const { name, signed } = JSON.parse(text) as { name?: unknown; signed?: unknown };
  if (typeof name !== 'string' || typeof signed !== 'boolean')
    throw new RangeError('send {"name": "…", "signed": true}');
  zone.sign(name, signed);
  sendJson(response, 200, { message: signed ? 'signed' : 'not signed' });
}

/** One by one: all that is kept can be larger than the longest string there is. */
async function sendMessages(response: ServerResponse, messages: Iterable<ReceivedMessage>): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' });
  await pipeline(Readable.from(jsonList(messages)), response);
}

function* jsonList(messages: Iterable<ReceivedMessage>): Generator<string> {
  let separator = '[';
  for (const { raw, ...rest } of messages) {
    yield separator + JSON.stringify({ ...rest, raw: raw.toString('base64') });
    separator = ',\n';
  }
  yield separator === '[' ? '[]' : ']';
}

function limitOf(url: URL): number {
  const limit = Number(url.searchParams.get('limit') ?? Infinity);
  if (!(limit >= 1)) throw new RangeError('limit must be a number from 1');
  return limit;
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError(`a body has at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json', JSON.stringify(value));
}

function send(response: ServerResponse, status: number, type: string, content: string | Buffer): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' });
  response.end(content);
}
