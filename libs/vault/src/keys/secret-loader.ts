import { Batcher } from '@lethe/service';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import { ForgottenError } from '../errors.ts';
import { held } from './key-cache.ts';
import type { KeyCache } from './key-cache.ts';
import type { KeySource } from './key-source.ts';
import type { VaultDatabase } from './vault-database.ts';

/** A secret that is wanted. A period may be made where it does not exist: only when sealing. */
export type Wanted = { kind: 'account' | 'subject'; id: string } | { kind: 'period'; id: string; make: boolean };

interface SecretRow {
  kind: Wanted['kind'];
  id: string;
  secret: Buffer;
  /** Of a period alone: when the vault forgets it. */
  until: Date | null;
}

export interface LoaderLimits {
  batch: number;
  queued: number;
}

/** Brings missing secrets into the cache: all that concurrent callers of one turn miss, in one call of the vault. */
export class SecretLoader {
  private readonly batcher: Batcher<Wanted, void>;

  constructor(
    private readonly database: VaultDatabase,
    private readonly cache: KeyCache,
    private readonly keyWrap: KeyWrap,
    private readonly source: KeySource,
    limits: LoaderLimits,
  ) {
    this.batcher = new Batcher(
      { maxItems: limits.batch, maxQueued: limits.queued, lingerMs: 0, concurrency: 1 },
      (wanted) => this.loadAll(wanted),
    );
  }

  /** Resolves when it is in the cache. ForgottenError if there is none. */
  load(wanted: Wanted): Promise<void> {
    return this.batcher.add(wanted);
  }

  private loadAll(wanted: Wanted[]): Promise<(void | Error)[]> {
    return this.source.load(
      () => this.read(wanted),
      (rows, revoked) => {
        const found = new Set<string>();
        for (const { kind, id, secret, until } of rows) {
          if (revoked(kind, id)) continue;
          found.add(`${kind} ${id}`);
          this.keep(kind, id, this.keyWrap.unwrap(secret), until);
        }
        return wanted.map(({ kind, id }) => (found.has(`${kind} ${id}`) ? undefined : new ForgottenError(kind)));
      },
    );
  }

  private async read(wanted: Wanted[]): Promise<SecretRow[]> {
    const ids = (kind: Wanted['kind']): string[] => [
      ...new Set(wanted.filter((item) => item.kind === kind).map(({ id }) => id)),
    ];
    const periods = ids('period').map((id) => id.split('/') as [string, string]);
    const rows = await this.database.call<SecretRow>('read_secrets', [
      ids('account'),
      ids('subject'),
      periods.map(([name]) => name),
      periods.map(([, bucket]) => bucket),
    ]);
    const known = new Set(rows.filter(({ kind }) => kind === 'period').map(({ id }) => id));
    const missing = new Set(
      wanted.filter((item) => item.kind === 'period' && item.make && !known.has(item.id)).map(({ id }) => id),
    );
    return missing.size === 0 ? rows : [...rows, ...(await this.makePeriods([...missing]))];
  }

  private async makePeriods(ids: string[]): Promise<SecretRow[]> {
    const rows = await this.database.call<{ class: string; bucket: string; secret: Buffer; until: Date }>(
      'create_periods',
      [
        ids.map((id) => id.split('/')[0]),
        ids.map((id) => id.split('/')[1]),
        ids.map(() => this.keyWrap.generateWrapped()),
      ],
    );
    return rows.map(({ class: name, bucket, secret, until }) => ({
      kind: 'period',
      id: `${name}/${bucket}`,
      secret,
      until,
    }));
  }

  private keep(kind: Wanted['kind'], id: string, bytes: Buffer, until: Date | null): void {
    if (kind === 'period') this.cache.keepPeriod(id, bytes, until?.getTime() ?? 0);
    else this.cache[`${kind}s`].set(id, held(bytes));
  }
}
