import { createLog } from '@lethe/service';
import type { World } from '@lethe/testing';
import type { SiteRule } from '../../src/shaping/shaping.rules.ts';
import { SlotLocks } from '../../src/shaping/slot.locks.ts';
import type { Guard } from '../../src/smtp/guard.ts';
import { SmtpPool } from '../../src/smtp/smtp-pool.ts';
import { dataBlock, type Transmission } from '../../src/smtp/transmission.ts';

export const log = createLog({ service: 'test', level: 'error' });
const timeouts = { connect: 5_000, greeting: 5_000, command: 20_000, content: 20_000, finalDot: 20_000 };
const limits = { total: 100, waitingPerExchanger: 1_000, waitMs: 2_000, idleMs: 10_000 };

const free: Guard = {
  signal: new AbortController().signal,
  beforeFirstWord: () => Promise.resolve(),
  beforeContent: () => undefined,
};

export const mailTo = (to: string): Transmission => ({
  from: 'us@sender.example',
  to,
  data: dataBlock([Buffer.from('Subject: one\r\n\r\nhello\r\n')]),
  prefix: Buffer.alloc(0),
  utf8: false,
});

/** What a delivery process has for sessions, over a connection of its own: several stand for several processes. */
export interface Sender {
  pool: SmtpPool;
  slots: SlotLocks;
  /** Sends, coming back for as long as it is told to. Answers the code. */
  send(to: string, address?: string): Promise<number>;
  close(): Promise<void>;
}

export async function startSender(databaseUrl: string, world: World, rule: Partial<SiteRule>): Promise<Sender> {
  const slots = new SlotLocks(databaseUrl, log);
  const ruleOf = ({ address }: { address: string }): SiteRule => ({
    site: address,
    provider: 'other',
    sessions: 3,
    messagesPerSession: 1_000,
    pauseMs: 0,
    ...rule,
  });
  const pool = new SmtpPool({ helo: 'us.example', timeouts }, limits, ruleOf, slots);
  await slots.start();
  let closed = false;
  return {
    pool,
    slots,
    async send(to, address = '127.0.0.1') {
      const target = { host: 'mx.world.example', address, port: world.smtp.port, tls: 'never' as const };
      for (;;) {
        try {
          const session = await pool.acquire(target);
          try {
            return (await session.send(mailTo(to), free)).code;
          } finally {
            pool.release(session);
          }
        } catch (error) {
          const { afterMs, name } = error as { afterMs?: number; name?: string };
          if (closed || (afterMs === undefined && name !== 'SlotsAway')) throw error;
          await new Promise((resolve) => setTimeout(resolve, afterMs ?? 200));
        }
      }
    },
    async close() {
      closed = true;
      await pool.close();
      await slots.close();
    },
  };
}
