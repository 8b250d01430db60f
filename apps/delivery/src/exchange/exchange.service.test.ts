import { describe, expect, it } from 'vitest';
import type { PoolAddress } from '../pools/ip.pools.ts';
import type { WarmUpService } from '../pools/warm-up.service.ts';
import type { Guard } from '../smtp/guard.ts';
import { ExchangerBusy } from '../smtp/exchanger.ts';
import type { SmtpTarget } from '../smtp/smtp-options.ts';
import type { SmtpPool } from '../smtp/smtp-pool.ts';
import type { Transmission } from '../smtp/transmission.ts';
import { ExchangeService } from './exchange.service.ts';
import type { RouteService } from './route.service.ts';

const HOUR_MS = 3_600_000;
const [NEW, OLD] = ['2001:db8::1', '192.0.2.1'];
const DEAD = '192.0.2.26';
const CAPPED: PoolAddress = { address: NEW, warmUp: { since: '2026-11-29', perDay: [0] } };
const guard: Guard = {
  signal: new AbortController().signal,
  beforeFirstWord: () => Promise.resolve(),
  beforeContent: () => undefined,
};

describe('exchangers of a domain, from addresses with a cap', () => {
  /** Our addresses and what they reached. */
  const reached: (string | undefined)[] = [];
  const exchange = (...addresses: string[]): ExchangeService => {
    const exchangers = addresses.map((address) => ({
      host: 'mx.example',
      address,
      port: 25,
      demand: { kind: 'none' },
    }));
    const session = { messages: 0, tls: true, fault: undefined, send: async () => ({ code: 250, text: 'taken' }) };
    const acquire = async ({ address, source }: SmtpTarget): Promise<object> => {
      if (address === DEAD) throw new ExchangerBusy(1_000, { paused: true, unreachable: true });
      reached.push(source?.address);
      return session;
    };
    const warmUp = {
      take: async ({ warmUp: capped }: PoolAddress) => (capped ? undefined : () => {}),
      untilTomorrow: () => HOUR_MS,
    };
    return new ExchangeService(
      { find: async () => ({ exchangers }), doubt: () => {} } as unknown as RouteService,
      { acquire, release: () => {} } as unknown as SmtpPool,
      warmUp as unknown as WarmUpService,
    );
  };
  const send = (service: ExchangeService, sources: PoolAddress[]) =>
    service.send('example', {} as Transmission, { requireTls: false, skipVerification: false }, guard, sources);

  it('are all tried before mail waits for tomorrow: another may be reached from another address', async () => {
    const result = await send(exchange('2001:db8::25', '192.0.2.25'), [CAPPED, { address: OLD }]);
    expect(result.reply?.code).toBe(250);
    expect(reached).toEqual([OLD]);
  });

  it('wait where no address may send to any of them, also beside one that none of ours reaches', async () => {
    const late = { name: 'ExchangerBusy', afterMs: expect.toSatisfy((ms: number) => ms >= HOUR_MS) };
    await expect(send(exchange('2001:db8::25', '2001:db8::26'), [CAPPED])).rejects.toMatchObject(late);
    for (const addresses of [
      ['2001:db8::25', '192.0.2.25'],
      ['192.0.2.25', '2001:db8::25'],
    ]) {
      await expect(send(exchange(...addresses), [CAPPED])).rejects.toMatchObject(late);
    }
  });

  it('are asked again as soon as one that is let alone may be there', async () => {
    const addresses = [DEAD, '2001:db8::25'];
    for (const order of [addresses, addresses.toReversed()]) {
      await expect(send(exchange(...order), [CAPPED, { address: OLD }])).rejects.toMatchObject({ afterMs: 1_000 });
    }
  });
});
