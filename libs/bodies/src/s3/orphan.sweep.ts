import type { Known } from '../store/body-store.ts';
import { BODIES, INSTRUCTED, messageOf } from './body-keys.ts';
import { MOST_KEYS, type Bucket } from './bucket.ts';

/** Pages of the bucket looked at in one round: it may take some rounds after a start to have seen all of them. */
const PAGES = 100;

/**
 * Finds bodies whose message was never committed: whoever put them was killed, or never heard what became of the transaction. Keys
 * are in order of acceptance, so each is looked at once, when it is old enough, and once more by each process that starts.
 */
export class OrphanSweep {
  /** The last key looked at, by folder. */
  private seen = new Map<string, string>();

  constructor(
    private readonly bucket: Bucket,
    private readonly ageMs: number,
  ) {}

  /** Answers how many there were. */
  async sweep(known: Known): Promise<number> {
    const folders = [...(await this.bucket.folders(BODIES)), ...(await this.bucket.folders(INSTRUCTED))];
    this.seen = new Map([...this.seen].filter(([folder]) => folders.includes(folder)));
    let orphans = 0;
    let pages = PAGES;
    for (const folder of folders) {
      for (let more = true; more && pages > 0; pages -= 1) {
        const listed = await this.bucket.list(folder, { after: this.seen.get(folder) });
        const since = Date.now() - this.ageMs;
        const young = listed.findIndex(({ lastModified }) => lastModified.getTime() > since);
        const old = young === -1 ? listed : listed.slice(0, young);
        orphans += await this.drop(
          old.map(({ key }) => key),
          known,
        );
        const last = old.at(-1);
        if (last) this.seen.set(folder, last.key);
        more = old.length === MOST_KEYS;
      }
    }
    return orphans;
  }

  private async drop(keys: readonly string[], known: Known): Promise<number> {
    const ids = keys.flatMap((key) => messageOf(key) ?? []);
    if (ids.length === 0) return 0;
    const there = await known(ids);
    const orphans = keys.filter((key) => !there.has(messageOf(key) ?? ''));
    await this.bucket.delete(orphans);
    return orphans.length;
  }
}
