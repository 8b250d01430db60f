import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { basic } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOwnPlatform, type OwnPlatform } from '../support/own-platform.ts';
import { idle } from '../support/pipeline.ts';

const MIB = 1024 * 1024;
const MESSAGES = 100;
/** Of one attachment, which becomes a third larger on its way: messages of nearly 25 MiB, the largest there are by default. */
const ATTACHMENT = 18 * MIB;
/**
 * How much more than idle each process may have had at its peak, however much comes at once: what its settings give, and as much again
 * for what is garbage already. All messages together are more than either, in one copy alone.
 */
const BOUNDS = {
  // Some 64 KiB of each request.
  gateway: 128 * MIB,
  // BYTES_IN_FLIGHT: 192 MiB.
  ingest: 512 * MIB,
  // LARGE_MESSAGES_BYTES and MESSAGE_CACHE_BYTES: 192 MiB.
  delivery: 512 * MIB,
} as const;
const PROCESSES = ['gateway', 'ingest', 'delivery'] as const;

let own: OwnPlatform;
beforeAll(async () => {
  own = await startOwnPlatform('large', { worldBytes: 128 * MIB });
}, 300_000);
afterAll(() => own?.stop());

const memory = (service: (typeof PROCESSES)[number], line: 'VmRSS' | 'VmHWM'): number => {
  const status = readFileSync(`/proc/${own.platform.services[service].pid}/status`, 'utf8');
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
};
const digest = (octets: Buffer): string => createHash('sha256').update(octets).digest('hex');
const to = (index: number): string => `ok+large${index}@world.example`;

/** As clients do: what is not acknowledged is sent again. */
async function send(index: number, attachment: Buffer<ArrayBuffer>): Promise<number> {
  for (let attempts = 1; ; attempts += 1) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ from: `ann@${own.demo.domain}`, to: to(index), text: 'Look.' })) {
      body.set(name, value);
    }
    body.set('attachment', new Blob([attachment]), 'large.bin');
    const response = await fetch(`${own.platform.gateway}/v3/${own.demo.domain}/messages`, {
      method: 'POST',
      headers: { authorization: basic(own.demo.apiKey), 'idempotency-key': `large ${index}` },
      body,
      signal: AbortSignal.timeout(240_000),
    });
    await response.text();
    if (response.status === 200) return attempts;
    if (response.status !== 503) throw new Error(`message ${index} was answered ${response.status}`);
    await wait(1_000 * Number(response.headers.get('retry-after') ?? 1));
  }
}

describe(`${MESSAGES} messages with ${ATTACHMENT / MIB} MiB attached, at once`, () => {
  it('are all delivered, and no process holds more of them than its settings say', async () => {
    const before = Object.fromEntries(PROCESSES.map((service) => [service, memory(service, 'VmRSS')]));
    const attachment = randomBytes(ATTACHMENT);
    const begin = performance.now();
    const attempts = await Promise.all(Array.from({ length: MESSAGES }, (_, index) => send(index, attachment)));
    const accepted = performance.now();
    await idle(own, 200_000);
    const delivered = performance.now();
    const again = attempts.reduce((sum, tries) => sum + tries - 1, 0);
    const seconds = (ms: number): string => (ms / 1_000).toFixed(0);
    console.log(
      `accepted in ${seconds(accepted - begin)} s (${again} sent again), delivered ${seconds(delivered - accepted)} s later`,
    );
    const { messages } = (await (await fetch(`${own.world.http}/stats`)).json()) as { messages: number };
    expect(messages).toBe(MESSAGES);
    const kept = (await (await fetch(`${own.world.http}/messages?limit=5`)).json()) as { raw: string }[];
    expect(kept.length).toBeGreaterThan(0);
    for (const { raw } of kept) {
      const text = Buffer.from(raw, 'base64').toString('latin1');
      const encoded = text.slice(text.indexOf('large.bin')).split('\r\n\r\n')[1]?.split('\r\n--')[0] ?? '';
      expect(digest(Buffer.from(encoded, 'base64'))).toBe(digest(attachment));
    }
    for (const service of PROCESSES) {
      const [idleAt, peak] = [before[service] ?? 0, memory(service, 'VmHWM')];
      console.log(`${service}: ${(idleAt / MIB).toFixed(0)} MiB idle, ${(peak / MIB).toFixed(0)} MiB at its peak`);
      expect(peak - idleAt, service).toBeLessThanOrEqual(BOUNDS[service]);
    }
  }, 480_000);
});
