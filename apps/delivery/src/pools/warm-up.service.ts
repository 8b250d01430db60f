import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { Clock } from '@lethe/service';
import type { Provider } from '../shaping/providers.ts';
import type { PoolAddress } from './ip.pools.ts';

const DAY_MS = 86_400_000;
/** A process takes a part of a day's cap at a time, so that not every message is a statement. */
const PARTS = 20;
const LARGEST_PART = 100;

interface Share {
  day: string;
  left: number;
  /** Nothing is left of the cap. */
  over: boolean;
  asking?: Promise<void>;
}

/**
 * Keeps what a new address sends to each provider on a day (UTC) below its cap, all processes together. What a process took and did not
 * use when it ended is not sent on that day.
 */
@Injectable()
export class WarmUpService {
  private readonly shares = new Map<string, Share>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Takes one message of the cap; what it answers gives it back, if it was not sent after all. Undefined: none is left for today. */
  async take(from: PoolAddress, provider: Provider): Promise<(() => void) | undefined> {
    const cap = this.cap(from);
    if (cap === undefined) return () => {};
    const share = this.share(from, provider);
    while (share.left === 0 && !share.over) {
      share.asking ??= this.ask(from, provider, share, cap).finally(() => delete share.asking);
      await share.asking;
    }
    if (share.left === 0) return undefined;
    share.left -= 1;
    return () => (share.left += 1);
  }

  /** Until there is a new cap, in milliseconds. */
  untilTomorrow(): number {
    return DAY_MS - (this.clock.now() % DAY_MS);
  }

  /** Of today; undefined: there is none any more. Before its first day an address sends nothing. */
  private cap({ warmUp }: PoolAddress): number | undefined {
    if (!warmUp) return undefined;
    const days = Math.floor((this.clock.now() - Date.parse(warmUp.since)) / DAY_MS);
    return days < 0 ? 0 : warmUp.perDay[days];
  }

  private share({ address }: PoolAddress, provider: Provider): Share {
    const key = `${address} ${provider}`;
    const day = new Date(this.clock.now()).toISOString().slice(0, 10);
    let share = this.shares.get(key);
    if (share?.day !== day) this.shares.set(key, (share = { day, left: 0, over: false }));
    return share;
  }

  /** A part of the cap, or what is left of it. */
  private async ask({ address }: PoolAddress, provider: Provider, share: Share, cap: number): Promise<void> {
    const { rows } = await this.database.pool.query<{ got: number }>({
      name: 'warm-up-take',
      text: `
        with past as (delete from warm_up where day < $3::date - 7)
        insert into warm_up as w (address, provider, day, sent) values ($1, $2, $3::date, least($4::int, $5::int))
        on conflict (address, provider, day) do update set sent = least(w.sent + $4::int, $5::int) where w.sent < $5::int
        returning new.sent - coalesce(old.sent, 0) as got`,
      values: [address, provider, share.day, Math.min(LARGEST_PART, Math.ceil(cap / PARTS)), cap],
    });
    const got = rows[0]?.got ?? 0;
    share.left += got;
    share.over = got === 0;
  }
}
