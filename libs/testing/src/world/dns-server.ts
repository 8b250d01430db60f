import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import dnsPacket from 'dns-packet';
import type { DecodedPacket, OptAnswer, Packet } from 'dns-packet';
import { RCODE, type Zone } from './zone.ts';

const HOST = '127.0.0.1';
const PLAIN_UDP_BYTES = 512; // RFC 1035 2.3.4, for resolvers without EDNS
const MAX_UDP_BYTES = 1232;
const TCP_IDLE_MS = 10_000;
const BIND_TRIES = 20;
const OPT: Omit<OptAnswer, 'udpPayloadSize'> = {
  name: '.',
  type: 'OPT',
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

export interface DnsServer {
  host: string;
  port: number;
  stop(): Promise<void>;
}

/** Answers for `zone` on one loopback port over UDP and TCP (RFC 1035, RFC 7766). Nothing is ever asked elsewhere. */
export async function startDnsServer(zone: Zone, port: number): Promise<DnsServer> {
  const { udp, tcp } = await bindBoth(port);
  const sockets = new Set<Socket>();
  udp.on('message', (message, peer) => {
    const reply = respond(zone, message, true);
    if (reply) udp.send(reply, peer.port, peer.address);
  });
  udp.on('error', () => undefined); // a peer that went away; the next query is unaffected
  tcp.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveTcp(zone, socket);
  });
  return {
    host: HOST,
    port: udp.address().port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      udp.close();
      tcp.close();
      await Promise.all([once(udp, 'close'), once(tcp, 'close')]);
    },
  };
}

/** UDP and TCP share the port number; a free UDP port may be taken for TCP, so another is tried. */
async function bindBoth(port: number): Promise<{ udp: UdpSocket; tcp: Server }> {
  for (let left = BIND_TRIES; ; left--) {
    const udp = createSocket('udp4');
    udp.bind(port, HOST);
    await once(udp, 'listening');
    const tcp = createServer();
    tcp.listen(udp.address().port, HOST);
    try {
      await once(tcp, 'listening');
      return { udp, tcp };
    } catch (error) {
      udp.close();
      if (port !== 0 || left === 0) throw error;
    }
  }
}

function serveTcp(zone: Zone, socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const size = pending.readUInt16BE(0);
      const reply = respond(zone, pending.subarray(2, 2 + size), false);
      pending = pending.subarray(2 + size);
      if (!reply) return void socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    }
  });
}

function respond(zone: Zone, message: Buffer, udp: boolean): Buffer | undefined {
  let query: DecodedPacket;
  try {
    query = dnsPacket.decode(message);
  } catch {
    return undefined; // not DNS: silence, as an answer could only confuse
  }
  const question = query.questions?.[0];
  if (query.type !== 'query' || !question) return undefined;
  const { rcode, answers, secure } =
    query.questions?.length === 1 ? zone.answer(question) : { rcode: RCODE.refused, answers: [], secure: false };
  const opt = query.additionals?.find((extra): extra is OptAnswer => extra.type === 'OPT');
  // To who asks about it alone (RFC 6840 §5.7 f.).
  const authentic = secure && rcode !== RCODE.servfail && (query.flag_ad || opt?.flag_do === true);
  const flags =
    dnsPacket.AUTHORITATIVE_ANSWER |
    dnsPacket.RECURSION_AVAILABLE |
    (authentic ? dnsPacket.AUTHENTIC_DATA : 0) |
    rcode |
    ((query.flags ?? 0) & dnsPacket.RECURSION_DESIRED);
  const reply: Packet = { id: query.id ?? 0, type: 'response', flags, questions: query.questions ?? [], answers };
  if (opt) reply.additionals = [{ ...OPT, udpPayloadSize: MAX_UDP_BYTES }];
  const bytes = dnsPacket.encode(reply);
  const limit = Math.min(opt ? Math.max(opt.udpPayloadSize, PLAIN_UDP_BYTES) : PLAIN_UDP_BYTES, MAX_UDP_BYTES);
  if (!udp || bytes.length <= limit) return bytes;
  return dnsPacket.encode({ ...reply, flags: flags | dnsPacket.TRUNCATED_RESPONSE, answers: [] });
}
