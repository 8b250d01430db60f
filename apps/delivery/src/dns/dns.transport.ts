import { createSocket } from 'node:dgram';
import { connect, isIP, isIPv6 } from 'node:net';
import dnsPacket, { type DecodedPacket } from 'dns-packet';

export interface DnsServer {
  address: string;
  port: number;
}

/** Reads `address`, `address:port` and `[address]:port`; undefined is none of them. */
export function parseServer(text: string): DnsServer | undefined {
  const whole = text.trim();
  if (isIPv6(whole)) return { address: whole, port: 53 };
  const [, bracketed, plain, digits = '53'] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(whole) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  return isIP(address) !== 0 && port > 0 && port < 65_536 ? { address, port } : undefined;
}

/** Reads a list with commas; undefined if one of them is none. */
export function parseServers(list: string): DnsServer[] | undefined {
  const servers = list
    .split(',')
    .filter((text) => text.trim() !== '')
    .map(parseServer);
  return servers.every((server) => server !== undefined) ? servers : undefined;
}

/**
 * One question, one answer. The socket is connected, so that nobody else's datagram is heard, and new each time, so that its port is
 * as hard to guess as the question's id (RFC 5452 §9). What does not answer this very question is passed over. Throws after `timeoutMs`.
 */
export function overUdp(query: Buffer, server: DnsServer, timeoutMs: number): Promise<DecodedPacket> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  return new Promise<DecodedPacket>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('A DNS server did not answer in time')), timeoutMs);
    socket.on('error', reject);
    socket.on('message', (message) => {
      const answer = answerTo(query, message);
      if (answer) resolve(answer);
    });
    socket.on('close', () => clearTimeout(timer));
    socket.connect(server.port, server.address, () => socket.send(query));
  }).finally(() => socket.close());
}

/** The same for answers that do not fit into a datagram (RFC 7766). */
export function overTcp(query: Buffer, server: DnsServer, timeoutMs: number): Promise<DecodedPacket> {
  const socket = connect({ host: server.address, port: server.port, noDelay: true });
  return new Promise<DecodedPacket>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('A DNS server did not answer in time')), timeoutMs);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('A DNS server closed the connection'));
    });
    socket.on('error', reject);
    let read: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      if (read.length < 2 || read.length < 2 + read.readUInt16BE(0)) return;
      const answer = answerTo(query, read.subarray(2, 2 + read.readUInt16BE(0)));
      if (answer) resolve(answer);
      else reject(new Error('A DNS server answered another question'));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  }).finally(() => socket.destroy());
}

function answerTo(query: Buffer, message: Buffer): DecodedPacket | undefined {
  // Ids first: what is not for us need not be read.
  if (message.length < 12 || message.readUInt16BE(0) !== query.readUInt16BE(0)) return undefined;
  try {
    const [asked, answer] = [dnsPacket.decode(query).questions?.[0], dnsPacket.decode(message)];
    const echoed = answer.questions?.[0];
    const same =
      answer.type === 'response' &&
      echoed?.type === asked?.type &&
      echoed?.name.toLowerCase() === asked?.name.toLowerCase();
    return same ? answer : undefined;
  } catch {
    return undefined;
  }
}
