import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { startWorld, type World } from '@lethe/testing';
import dnsPacket, { type DecodedPacket } from 'dns-packet';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DnsClient, DnsUnavailable, type DnsClientOptions } from './dns.client.ts';
import { parseServer, type DnsServer } from './dns.transport.ts';

describe('the DNS client', () => {
  let world: World;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    world = await startWorld();
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  afterAll(() => world?.stop());

  const put = (path: string, what: object) =>
    fetch(`${world.http}${path}`, { method: 'PUT', body: JSON.stringify(what) });
  const client = (options: Partial<DnsClientOptions> = {}) =>
    new DnsClient({
      servers: [{ address: world.dns.host, port: world.dns.port }],
      timeoutMs: 300,
      validates: true,
      concurrency: 2,
      ...options,
    });
  /** A server of its own mind: what it answers to a query, in order. */
  async function server(answers: (query: DecodedPacket) => Buffer[]): Promise<DnsServer & { asked: () => number }> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    let asked = 0;
    socket.on('message', (message, peer) => {
      asked += 1;
      for (const answer of answers(dnsPacket.decode(message))) socket.send(answer, peer.port, peer.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { address: '127.0.0.1', port: socket.address().port, asked: () => asked };
  }
  const answer = (query: DecodedPacket, address: string, change: object = {}): Buffer =>
    dnsPacket.encode({
      type: 'response',
      id: query.id,
      questions: query.questions,
      answers: [{ name: 'a.test', type: 'A', ttl: 1, data: address }],
      ...change,
    });

  it('believes what is signed to be so where it may, and only there', async () => {
    await put('/dns/signed', { name: 'signed.test', signed: true });
    expect(await client().ask('www.signed.test', 'A')).toEqual({
      exists: true,
      data: ['127.0.0.1'],
      owner: 'www.signed.test',
      secure: true,
    });
    expect(await client().ask('nxdomain.signed.test', 'A')).toMatchObject({ exists: false, data: [], secure: true });
    expect(await client().ask('www.other.test', 'A')).toMatchObject({ secure: false });
    expect(await client({ validates: false }).ask('www.signed.test', 'A')).toMatchObject({ secure: false });
  });

  it('follows aliases, which are all signed or it is not', async () => {
    await put('/dns', { name: 'alias.signed.test', type: 'CNAME', value: 'www.elsewhere.test' });
    expect(await client().ask('Alias.signed.test', 'A')).toMatchObject({ owner: 'www.elsewhere.test', secure: false });
    expect(await client().ask('alias.signed.test', 'CNAME')).toMatchObject({
      data: ['www.elsewhere.test'],
      secure: true,
    });
  });

  it('asks by TCP for what is cut off', async () => {
    const value = Array.from({ length: 20 }, (_, index) => `${index}${'x'.repeat(200)}`);
    await put('/dns', { name: 'long.test', type: 'TXT', value });
    const { data } = await client().ask('long.test', 'TXT');
    expect(data.map((strings) => Buffer.concat(strings).toString())).toEqual(value);
  });

  it('passes over answers to what it did not ask', async () => {
    const forger = await server((query) => [
      answer(query, '10.0.0.1', { id: ((query.id ?? 0) + 1) % 65_536 }),
      answer(query, '10.0.0.2', { questions: [{ name: 'b.test', type: 'A' }] }),
      answer(query, '10.0.0.3', { questions: [{ name: 'a.test', type: 'AAAA' }] }),
      answer(query, '10.0.0.4', { type: 'query' }),
      Buffer.from([query.id ?? 0, 1, 2]),
      answer(query, '127.0.0.5'),
    ]);
    expect(await client({ servers: [forger] }).ask('a.test', 'A')).toMatchObject({ data: ['127.0.0.5'] });
  });

  it('asks the next server where one is silent or fails, and the only one once more', async () => {
    const silent = await server(() => []);
    const failing = await server((query) => [answer(query, '10.0.0.1', { flags: 2, answers: [] })]);
    const world1 = { address: world.dns.host, port: world.dns.port };
    expect(await client({ servers: [silent, failing, world1] }).ask('a.test', 'A')).toMatchObject({
      data: ['127.0.0.1'],
    });
    await expect(client({ servers: [silent] }).ask('a.test', 'A')).rejects.toThrow(DnsUnavailable);
    await expect(client({ servers: [failing] }).ask('a.test', 'A')).rejects.toThrow(DnsUnavailable);
    expect([silent.asked(), failing.asked()]).toEqual([3, 2]);
  });

  it.each([
    ['127.0.0.1', { address: '127.0.0.1', port: 53 }],
    [' 127.0.0.1:5353 ', { address: '127.0.0.1', port: 5353 }],
    ['::1', { address: '::1', port: 53 }],
    ['[::1]:54', { address: '::1', port: 54 }],
    ['', undefined],
    ['127.0.0.1:x', undefined],
    ['dns.example', undefined],
    ['1.1.1.1:99999', undefined],
  ])('reads the server %j', (text, read) => {
    expect(parseServer(text)).toEqual(read);
  });
});
