import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { isUnavailable } from '@lethe/service';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { createPool, inTransaction } from '../src/index.ts';

/** A way to the database that can fall silent, as a server that hangs or a network that swallows everything. */
const sockets: Socket[] = [];
const way = createServer((near) => {
  const { hostname, port } = new URL(inject('stores').postgres.adminUrl);
  const far = connect(Number(port), hostname);
  for (const socket of [near, far]) sockets.push(socket.on('error', () => undefined));
  near.pipe(far).pipe(near);
});

beforeEach(async () => {
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  way.close();
});

it('gives up a server that falls silent, in time, and does not use the connection again', async () => {
  const url = new URL(inject('stores').postgres.adminUrl);
  url.port = String((way.address() as AddressInfo).port);
  const pool = createPool({
    url: url.href,
    applicationName: 'test',
    statementTimeoutMs: 300,
    onError: () => undefined,
  });
  try {
    await inTransaction(pool, (client) => client.query('SELECT 1'));
    for (const socket of sockets) socket.unpipe().pause();
    const begin = performance.now();
    const error: unknown = await inTransaction(pool, (client) => client.query('SELECT 1')).catch((e: unknown) => e);
    expect(isUnavailable(error)).toBe(true);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(pool.totalCount).toBe(0);
  } finally {
    await pool.end();
  }
});
