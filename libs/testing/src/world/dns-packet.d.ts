// The part of dns-packet 5 the world uses; the package ships no types.
declare module 'dns-packet' {
  export interface Question {
    name: string;
    type: string;
    class?: string;
  }
  export interface Answer {
    name: string;
    type: string;
    ttl?: number;
    class?: string;
    data: unknown;
  }
  /** An EDNS(0) pseudo-record (RFC 6891) among the additionals. */
  export interface OptAnswer {
    name: '.';
    type: 'OPT';
    udpPayloadSize: number;
    flags?: number;
    options?: unknown[];
  }
  export interface Packet {
    id?: number;
    type?: 'query' | 'response';
    flags?: number;
    questions?: Question[];
    answers?: Answer[];
    authorities?: Answer[];
    additionals?: (Answer | OptAnswer)[];
  }
  export function encode(packet: Packet): Buffer;
  export function decode(buffer: Buffer): Packet;
  export const RECURSION_DESIRED: number;
  export const RECURSION_AVAILABLE: number;
  export const AUTHORITATIVE_ANSWER: number;
  export const TRUNCATED_RESPONSE: number;
}
