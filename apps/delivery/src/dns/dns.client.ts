import { randomInt } from 'node:crypto';
import { Semaphore } from '@lethe/service';
import dnsPacket, { type DecodedPacket, type TlsaData } from 'dns-packet';
import { overTcp, overUdp, type DnsServer } from './dns.transport.ts';

/** What is asked for, and what its records hold. */
interface Records {
  A: string;
  AAAA: string;
  CNAME: string;
  MX: { preference: number; exchange: string };
  TLSA: TlsaData;
  /** The strings of one record. */
  TXT: Buffer[];
}
export type RecordType = keyof Records;

export interface DnsAnswer<T extends RecordType> {
  /** Whether there is such a name, be it without such records. */
  exists: boolean;
  data: Records[T][];
  /** The name that has the records: at the end of aliases (CNAME), or the one that was asked for. Lower case. */
  owner: string;
  /** A validating resolver that the operator trusts says that this is what the owner of the zone signed, absence included. */
  secure: boolean;
}

export interface DnsClientOptions {
  servers: readonly DnsServer[];
  /** How long one server may take, in milliseconds. */
  timeoutMs: number;
  /** Whether the servers validate DNSSEC and nobody sits between them and us: then what they say about it counts. */
  validates: boolean;
  /** Questions under way at once; the others wait. */
  concurrency: number;
}

/** No server could say: none answered, or the answer is broken or forged (RFC 4035 §5.5). */
export class DnsUnavailable extends Error {
  override readonly name = 'DnsUnavailable';
  constructor() {
    super('No DNS server has an answer');
  }
}

/** What fits into a datagram anywhere (DNS flag day 2020). */
const UDP_BYTES = 1232;
const MAX_ALIASES = 16;

/**
 * Asks DNS. Node's own look-ups do not tell whether an answer was validated (AD, RFC 4035 §3.2.3), which is what DANE rests on.
 */
export class DnsClient {
  private readonly permits: Semaphore;

  constructor(private readonly options: DnsClientOptions) {
    this.permits = new Semaphore(options.concurrency);
  }

  /** Throws DnsUnavailable. */
  ask<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    return this.permits.run(() => this.try(name, type));
  }

  /** Every server once, and one that is silent twice if there is no other. */
  private async try<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    const { servers } = this.options;
    for (const server of servers.length === 1 ? [...servers, ...servers] : servers) {
      const packet = await this.exchange(name, type, server).catch(() => undefined);
      const rcode = (packet as { rcode?: string } | undefined)?.rcode;
      if (packet && (rcode === 'NOERROR' || rcode === 'NXDOMAIN')) {
        return this.read(name, type, packet, rcode === 'NOERROR');
      }
      if (packet && servers.length === 1) break;
    }
    throw new DnsUnavailable();
  }

  private async exchange(name: string, type: RecordType, server: DnsServer): Promise<DecodedPacket> {
    const { timeoutMs, validates } = this.options;
    const query = dnsPacket.encode({
      type: 'query',
      id: randomInt(0x1_0000),
      flags: dnsPacket.RECURSION_DESIRED | (validates ? dnsPacket.AUTHENTIC_DATA : 0),
      questions: [{ name, type, class: 'IN' }],
      additionals: [
        {
          name: '.',
          type: 'OPT',
          udpPayloadSize: UDP_BYTES,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: validates ? dnsPacket.DNSSEC_OK : 0,
          flag_do: validates,
          options: [],
        },
      ],
    });
    const answer = await overUdp(query, server, timeoutMs);
    return answer.flag_tc ? overTcp(query, server, timeoutMs) : answer;
  }

  private read<T extends RecordType>(name: string, type: T, packet: DecodedPacket, exists: boolean): DnsAnswer<T> {
    const answers = packet.answers ?? [];
    const named = (owner: string, wanted: string) =>
      answers.filter((answer) => answer.type === wanted && answer.name.toLowerCase() === owner);
    let owner = name.toLowerCase();
    for (let left = type === 'CNAME' ? 0 : MAX_ALIASES; left > 0; left -= 1) {
      const [alias] = named(owner, 'CNAME') as { data: string }[];
      if (!alias) break;
      owner = alias.data.toLowerCase();
    }
    const data = named(owner, type).map((answer) => (answer as unknown as { data: Records[T] }).data);
    return { exists, data, owner, secure: this.options.validates && packet.flag_ad };
  }
}
