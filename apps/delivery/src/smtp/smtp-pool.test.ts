import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SmtpBroken } from './smtp-error.ts';
import { ExchangerBusy } from './exchanger.ts';
import type { Guard } from './guard.ts';
import type { SiteRule } from '../shaping/shaping.rules.ts';
import type { Slot, Slots } from '../shaping/slots.ts';
import type { SmtpTarget } from './smtp-options.ts';
import { SmtpPool, type PoolLimits } from './smtp-pool.ts';
import { dataBlock, type Transmission } from './transmission.ts';

/** A server of few words; `answer` may say something else, or close, for a line. Keeps every line it got. */
async function serve(answer: (line: string, socket: Socket) => string | undefined = () => undefined) {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let inData = false;
    let rest = '';
    socket.on('error', () => {});
    socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      const parts = (rest + chunk.toString()).split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (inData && line !== '.') continue;
        const special = answer(line, socket);
        if (special !== undefined) {
          if (line === 'DATA') inData = special.startsWith('354');
          if (line === '.') inData = false;
          socket.write(special);
        } else if (line.startsWith('EHLO')) socket.write('250-test\r\n250-PIPELINING\r\n250 SIZE 5000\r\n');
        else if (line === 'DATA') {
          inData = true;
          socket.write('354 go\r\n');
        } else {
          inData = false;
          socket.write('250 ok\r\n');
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = {
    host: 'test.example',
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    tls: 'opportunistic' as const,
  };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { target, lines, close, sockets };
}

/** A server with TLS that goes on while this process does something else. */
async function worldOfItsOwn() {
  const main = fileURLToPath(import.meta.resolve('@lethe/testing')).replace(/index\.ts$/, 'world/main.ts');
  const child = spawn(process.execPath, ['--conditions=@lethe/source', main], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const { smtp } = JSON.parse(line) as { smtp: { port: number } };
    return { port: smtp.port, close: () => child.kill() };
  }
  throw new Error('the world did not start');
}

/** Nobody calls the message back. */
const free: Guard = {
  signal: new AbortController().signal,
  beforeFirstWord: () => Promise.resolve(),
  beforeContent: () => undefined,
};

const timeouts = { connect: 500, greeting: 500, command: 500, content: 500, finalDot: 300 };
const limits: PoolLimits = { total: 2, waitingPerExchanger: 1, waitMs: 600, idleMs: 200 };
const rule: SiteRule = { site: 'test', provider: 'other', sessions: 1, messagesPerSession: 3, pauseMs: 0 };

/** One process alone. */
function alone(): Slots & { taken: Set<number> } {
  const taken = new Set<number>();
  return {
    taken,
    async take(site, of) {
      const number = Array.from({ length: of }, (_, n) => n).find((n) => !taken.has(n));
      if (number === undefined) return undefined;
      taken.add(number);
      const now = performance.now();
      return { site, number, takenAt: now, readyAt: now, served: false };
    },
    giveBack: ({ number }: Slot) => void taken.delete(number),
    want: () => {},
    listen: () => {},
  };
}
const hello: Transmission = {
  from: 'a@example.com',
  to: 'b@example.com',
  data: dataBlock([Buffer.from('a: b\r\n\r\nhello\r\n')]),
  prefix: Buffer.from('x: y\r\n'),
  utf8: false,
};

describe('SmtpPool and SmtpConnection', () => {
  const open: { close: () => unknown }[] = [];
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
  });
  async function start(
    answer?: (line: string, socket: Socket) => string | undefined,
    { rule: own, ...over }: Partial<PoolLimits> & { rule?: Partial<SiteRule> } = {},
  ) {
    const server = await serve(answer);
    const slots = alone();
    const options = { helo: 'us.example', timeouts };
    const pool = new SmtpPool(options, { ...limits, ...over }, () => ({ ...rule, ...own }), slots);
    open.push(pool, server);
    return { ...server, pool, slots };
  }

  it('sends several messages over one session', async () => {
    const { pool, target, lines } = await start();
    const first = await pool.acquire(target);
    expect(await first.send(hello, free)).toEqual({ code: 250, text: 'ok' });
    pool.release(first);
    const second = await pool.acquire(target);
    expect(second).toBe(first);
    await second.send(hello, free);
    const one = [
      'MAIL FROM:<a@example.com> SIZE=21',
      'RCPT TO:<b@example.com>',
      'DATA',
      'x: y',
      'a: b',
      '',
      'hello',
      '.',
    ];
    expect(lines).toEqual(['EHLO us.example', ...one, ...one]);
  });

  it('leaves room for other sites, however many sessions some of them hold', async () => {
    const server = await serve();
    open.push(server);
    const ruleOf = ({ host }: SmtpTarget): SiteRule => ({ ...rule, site: host, sessions: 20 });
    const sites = new Map<number, Slots>();
    const slots: Slots = {
      ...alone(),
      take(site, of) {
        if (!sites.has(site)) sites.set(site, alone());
        return (sites.get(site) as Slots).take(site, of);
      },
      giveBack: (slot) => sites.get(slot.site)?.giveBack(slot),
    };
    const bounds = { ...limits, total: 40, waitingPerExchanger: 0 };
    const pool = new SmtpPool({ helo: 'us.example', timeouts }, bounds, ruleOf, slots);
    open.push(pool);
    const held: number[] = [];
    for (const host of ['a', 'b', 'c', 'd']) {
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => pool.acquire({ ...server.target, host })));
      held.push(all.filter(({ status }) => status === 'fulfilled').length);
    }
    // The first one has what a site may have, and the two that follow leave something.
    expect(held[0]).toBe(20);
    expect(held[1]).toBeGreaterThan(5);
    expect(Math.min(...held)).toBeGreaterThan(0);
    expect(held.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(40);
  });

  it('answers the refusal and goes on over the same session', async () => {
    const refused = { code: 550, text: '5.1.1 unknown' };
    let refuse = true;
    const { pool, target, lines } = await start((line) =>
      refuse && line.startsWith('RCPT')
        ? '550 5.1.1 unknown\r\n'
        : refuse && line === 'DATA'
          ? '503 no\r\n'
          : undefined,
    );
    const connection = await pool.acquire(target);
    expect(await connection.send(hello, free)).toEqual(refused);
    refuse = false;
    expect((await connection.send(hello, free)).code).toBe(250);
    expect(lines).toContain('RSET');
  });

  it('ends DATA that is granted although the recipient was refused (RFC 2920 §3.1)', async () => {
    const { pool, target, lines } = await start((line) => (line.startsWith('RCPT') ? '452 later\r\n' : undefined));
    const connection = await pool.acquire(target);
    expect((await connection.send(hello, free)).code).toBe(452);
    expect(lines.at(-1)).toBe('.');
    expect(lines).not.toContain('hello');
  });

  it('knows that a session which broke before the content is safe to repeat', async () => {
    const { pool, target } = await start((line, socket) => {
      if (line.startsWith('MAIL')) socket.destroy();
      return undefined;
    });
    const connection = await pool.acquire(target);
    const error = await connection.send(hello, free).catch((error: unknown) => error);
    expect(error).toMatchObject({ at: 'envelope', ambiguous: false });
    expect(connection.usable).toBe(false);
  });

  it('knows that silence after the final dot is ambiguous', async () => {
    const { pool, target } = await start((line) => (line === '.' ? '' : undefined));
    const connection = await pool.acquire(target);
    const error = await connection.send(hello, free).catch((error: unknown) => error);
    expect(error).toMatchObject({ at: 'final-dot', code: 'timeout', ambiguous: true });
  });

  it('knows that content which could not be written whole was not delivered', async () => {
    const { pool, target, sockets } = await start((line) => {
      if (line !== 'DATA') return undefined;
      for (const socket of sockets) socket.pause();
      return '354 go\r\n';
    });
    const connection = await pool.acquire({ ...target });
    const large = { ...hello, data: { ...dataBlock([Buffer.alloc(50_000_000, 'a')]), size: 1 } };
    const error = await connection.send(large, free).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SmtpBroken);
    expect(error).toMatchObject({ at: 'content', ambiguous: false });
  });

  it('takes an answer that is read before the write of its content is reported', async () => {
    const world = await worldOfItsOwn();
    const target = { host: 'mx.world.example', address: '127.0.0.1', port: world.port, tls: 'required' as const };
    const pool = new SmtpPool(
      { helo: 'us.example', timeouts: { ...timeouts, finalDot: 2_000 } },
      limits,
      () => rule,
      alone(),
    );
    open.push(pool, world);
    const connection = await pool.acquire(target);
    // Over TLS a write of this phase of the loop is reported a turn later, and by then the answer is there.
    const reply = await connection.send(hello, {
      ...free,
      beforeContent: async () => {
        const turn = nextTurn();
        setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200));
        await turn;
      },
    });
    expect(reply.code).toBe(250);
    expect(connection.usable).toBe(true);
  });

  describe('a message that is called back', () => {
    const why = new Error('called back');
    const called = (): { guard: Guard; back: () => void } => {
      const controller = new AbortController();
      return { guard: { ...free, signal: controller.signal }, back: () => controller.abort(why) };
    };
    const settled = (sending: Promise<unknown>): Promise<unknown> => sending.catch((error: unknown) => error);
    const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 2_000, interval: 5 });

    it('before its content is not sent', async () => {
      const { pool, target, lines } = await start((line) => (line === 'DATA' ? '' : undefined));
      const connection = await pool.acquire(target);
      const { guard, back } = called();
      const sending = settled(connection.send(hello, guard));
      await soon(() => expect(lines).toContain('DATA'));
      back();
      expect(await sending).toBe(why);
      expect(connection.usable).toBe(false);
      expect(lines).not.toContain('hello');
    });

    it('within its content never gets its final dot', async () => {
      const { pool, target, lines, sockets } = await start((line) => {
        if (line !== 'DATA') return undefined;
        for (const socket of sockets) socket.pause();
        return '354 go\r\n';
      });
      const connection = await pool.acquire(target);
      const { guard, back } = called();
      const long = dataBlock([Buffer.from(`${'a'.repeat(98)}\r\n`.repeat(300_000))]);
      const sending = settled(connection.send({ ...hello, data: { ...long, size: 1 } }, guard));
      await soon(() => expect(lines).toContain('DATA'));
      back();
      expect(await sending).toBe(why);
      const ended = Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      for (const socket of sockets) socket.resume();
      await ended;
      expect(lines).not.toContain('.');
    });

    it('after its final dot is sent, and its reply is waited for', async () => {
      let reply: (() => void) | undefined;
      const { pool, target } = await start((line, socket) => {
        if (line !== '.') return undefined;
        reply = () => socket.write('250 taken\r\n');
        return '';
      });
      const connection = await pool.acquire(target);
      const { guard, back } = called();
      const sending = connection.send(hello, guard);
      await soon(() => expect(reply).toBeDefined());
      back();
      reply?.();
      expect(await sending).toEqual({ code: 250, text: 'taken' });
      expect(connection.usable).toBe(true);
    });

    // Another task can run between the write and whatever tells that it is done.
    it.each([1, 2, 3, 4, 6, 8])('%d tasks behind its content is sent or is not, and says which', async (tasks) => {
      const { pool, target, lines, sockets } = await start();
      const connection = await pool.acquire(target);
      const { guard, back } = called();
      const sending = settled(
        connection.send(hello, {
          ...guard,
          beforeContent: () => {
            const behind = (left: number): void => queueMicrotask(() => (left === 0 ? back() : behind(left - 1)));
            behind(tasks);
            return undefined;
          },
        }),
      );
      const answer = await sending;
      await soon(() => expect(lines.includes('.') || [...sockets].every(({ destroyed }) => destroyed)).toBe(true));
      // Either is right; that its dot left although it counts as not sent is not.
      if (answer === why) expect(lines).not.toContain('.');
      else expect(answer).toEqual({ code: 250, text: 'ok' });
    });

    it('when the server waits for the content is not sent', async () => {
      const { pool, target, lines } = await start();
      const connection = await pool.acquire(target);
      const guard: Guard = { ...free, beforeContent: () => Promise.reject(why) };
      expect(await settled(connection.send(hello, guard))).toBe(why);
      expect(connection.usable).toBe(false);
      expect(lines.at(-1)).toBe('DATA');
    });

    it('before its transaction says not a word', async () => {
      const { pool, target, lines } = await start();
      const connection = await pool.acquire(target);
      const { guard, back } = called();
      back();
      expect(await settled(connection.send(hello, guard))).toBe(why);
      expect(connection.usable).toBe(true);
      expect(lines).toEqual(['EHLO us.example']);
    });
  });

  it('refuses what is over the announced SIZE without sending it', async () => {
    const { pool, target, lines } = await start();
    const connection = await pool.acquire(target);
    const large = { ...hello, data: dataBlock([Buffer.alloc(6_000, 'a')]) };
    expect((await connection.send(large, free)).code).toBe(552);
    expect(lines).toEqual(['EHLO us.example']);
  });

  it('ends the session after a 421', async () => {
    const { pool, target } = await start((line) => (line === '.' ? '421 closing\r\n' : undefined));
    const connection = await pool.acquire(target);
    expect((await connection.send(hello, free)).code).toBe(421);
    expect(connection.usable).toBe(false);
    expect(pool.connections).toBe(0);
  });

  it.each([
    ['and says no more', (socket: Socket) => socket],
    ['and closes', (socket: Socket) => setImmediate(() => socket.end())],
  ])('hears a 421 that answers the first of several commands, %s', async (_, then) => {
    let silent = false;
    const server = await serve((line, socket) => {
      if (silent) return '';
      if (!line.startsWith('RCPT')) return undefined;
      silent = true;
      then(socket);
      return '421 4.7.0 too many messages\r\n';
    });
    const patient = { ...timeouts, command: 600_000 };
    const pool = new SmtpPool({ helo: 'us.example', timeouts: patient }, limits, () => rule, alone());
    open.push(pool, server);
    const connection = await pool.acquire(server.target);
    expect(await connection.send(hello, free)).toEqual({ code: 421, text: '4.7.0 too many messages' });
    expect(pool.connections).toBe(0);
  });

  it('hears why before the session breaks', async () => {
    const { pool, target } = await start((line, socket) => {
      if (line === 'DATA') socket.end();
      return line.startsWith('RCPT') ? '550 5.7.1 not from you\r\n' : line === 'DATA' ? '' : undefined;
    });
    const connection = await pool.acquire(target);
    expect(await connection.send(hello, free)).toEqual({ code: 550, text: '5.7.1 not from you' });
    expect(connection.usable).toBe(false);
  });

  it('holds its bounds: one session, one waiting, the next is told so', async () => {
    const { pool, target } = await start();
    const first = await pool.acquire(target);
    const waiting = pool.acquire(target);
    await expect(pool.acquire(target)).rejects.toBeInstanceOf(ExchangerBusy);
    pool.release(first);
    expect(await waiting).toBe(first);
  });

  it('refuses who would wait too long for a slow exchanger', async () => {
    const { pool, target } = await start(undefined, { waitingPerExchanger: 1_000 });
    await pool.acquire(target);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const first = pool.acquire(target);
    await expect(pool.acquire(target)).rejects.toBeInstanceOf(ExchangerBusy);
    await expect(first).rejects.toBeInstanceOf(ExchangerBusy);
  });

  it('lets the one that waits have a new session when the old one breaks', async () => {
    const { pool, target } = await start();
    const first = await pool.acquire(target);
    const waiting = pool.acquire(target);
    first.destroy();
    const second = await waiting;
    expect(second).not.toBe(first);
    expect((await second.send(hello, free)).code).toBe(250);
  });

  it('tells all that wait when nothing can be opened', async () => {
    const { pool, target, close } = await start(undefined, { waitingPerExchanger: 5 });
    const first = await pool.acquire(target);
    const waiting = [pool.acquire(target), pool.acquire(target)];
    close();
    first.destroy();
    for (const each of await Promise.allSettled(waiting)) {
      expect(each).toMatchObject({ status: 'rejected', reason: { at: 'connect', code: 'ECONNREFUSED' } });
    }
    expect(pool.connections).toBe(0);
  });

  it('closes a session after its number of messages, and an idle one after its time', async () => {
    const { pool, target, lines } = await start(undefined, { rule: { messagesPerSession: 1 } });
    const first = await pool.acquire(target);
    await first.send(hello, free);
    pool.release(first);
    expect(first.usable).toBe(false);
    const second = await pool.acquire(target);
    pool.release(second);
    await expect.poll(() => second.usable).toBe(false);
    expect(pool.connections).toBe(0);
    await expect.poll(() => lines.filter((line) => line === 'QUIT').length).toBe(2);
  });

  it.each([
    ['when the server has closed', (socket: Socket) => socket.end('221 bye\r\n'), 0, 900],
    ['or a second later, when it does not', (socket: Socket) => socket, 900, 3_000],
  ])('gives a slot back once the session is closed, %s', async (_, then, least, most) => {
    const { pool, target, slots } = await start((line, socket) => {
      socket.allowHalfOpen = true;
      if (line !== 'QUIT') return undefined;
      // As long as it is there, the server counts it.
      setTimeout(() => then(socket), 50);
      return '';
    });
    const session = await pool.acquire(target);
    session.quit();
    const begun = performance.now();
    expect(session.usable).toBe(false);
    expect(slots.taken.size).toBe(1);
    await vi.waitFor(() => expect(slots.taken.size).toBe(0), { timeout: most, interval: 5 });
    expect(performance.now() - begun).toBeGreaterThan(Math.max(40, least));
  });

  it('gives an exchanger of the same site its turn, whose others are all used', async () => {
    const { pool, target, slots } = await start(undefined, { waitingPerExchanger: 5 });
    const first = await pool.acquire(target);
    // The same server, but to be spoken to otherwise.
    const other = pool.acquire({ ...target, tls: 'never' });
    const again = pool.acquire(target);
    pool.release(first);
    const second = await other;
    expect(second).not.toBe(first);
    expect(first.usable).toBe(false);
    pool.release(second);
    pool.release(await again);
    // One that is idle ends for it, too.
    const third = pool.acquire({ ...target, tls: 'never' });
    pool.release(await third);
    expect(slots.taken.size).toBe(1);
  });

  it('lets a site alone that asks for less, and tells when to come back', async () => {
    const { pool, target } = await start((line) => (line.startsWith('RCPT') ? '421 4.7.0 too much\r\n' : undefined), {
      rule: { sessions: 2 },
    });
    for (let n = 0; n < 2; n += 1) {
      const session = await pool.acquire(target);
      expect((await session.send(hello, free)).code).toBe(421);
      pool.release(session, 'pushed-back');
    }
    const error = await pool.acquire(target).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ExchangerBusy);
    expect((error as ExchangerBusy).afterMs).toBeGreaterThan(500);
    expect((error as ExchangerBusy).unreachable).toBe(false);
  });

  it.each([
    ['what is no handshake', 'this is no handshake\r\n'],
    ['another reply', '250 ok\r\n'],
  ])('goes on in clear where %s stands right behind the answer to STARTTLS', async (_what, behind) => {
    const { pool, target, lines } = await start((line) => {
      if (line.startsWith('EHLO')) return '250-test\r\n250 STARTTLS\r\n';
      return line === 'STARTTLS' ? `220 go ahead\r\n${behind}` : undefined;
    });
    const session = await pool.acquire(target);
    expect(await session.send(hello, free)).toMatchObject({ code: 250 });
    expect(lines.slice(0, 4)).toEqual(['EHLO us.example', 'STARTTLS', 'EHLO us.example', 'MAIL FROM:<a@example.com>']);
  });

  it('refuses to send in clear where TLS is required', async () => {
    const { pool, target } = await start();
    await expect(pool.acquire({ ...target, tls: 'required' })).rejects.toMatchObject({
      at: 'tls',
      code: 'starttls-not-supported',
    });
  });
});
