import { basic, KeyProof, scanForOctets, until, type OctetNeedle } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveStores, secretsIn, type SavedStores } from '../../support/erasure-copy.ts';
import { MarkedPerson, sendMarked, type SentMail } from '../../support/erasure-mails.ts';
import { everywhere } from '../../support/erasure-scan.ts';
import { startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';
import { idle, query } from '../../support/pipeline.ts';

/** From the final delivery, or the DELETE, until the key is in no file of the vault any more. */
const LIMIT_MS = 60_000;

let own: OwnPlatform;
const ben = new MarkedPerson('Ben');
/** Accepted while the domain keeps its mail: to be removed, and to be left alone. */
let removed: SentMail;
let kept: SentMail;
/** Accepted under a retention of 0. */
let shredded: SentMail;
/** Copied when nothing of it was gone. */
let saved: SavedStores;
const ids = new Map<SentMail, string>();
const idOf = (mail: SentMail): string => ids.get(mail) ?? '';

beforeAll(async () => {
  own = await startOwnPlatform('shred', { settings: { LOG_LEVEL: 'debug' } });
});
afterAll(() => own?.stop());

const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${own.platform.gateway}${path}`, {
    ...init,
    headers: { authorization: basic(own.demo.apiKey) },
    signal: AbortSignal.timeout(30_000),
  });
const stored = (mail: SentMail, init: RequestInit = {}): Promise<Response> =>
  call(`/v3/domains/${own.demo.domain}/messages/${idOf(mail)}`, init);

async function sent(title: string, ...words: ('ok' | '550')[]): Promise<SentMail> {
  const mail = await sendMarked(own, { title, to: words.map((word) => ben.mailbox(word)) });
  const [row] = await query(own, 'ingest', 'SELECT id FROM message ORDER BY accepted_at DESC, id DESC LIMIT 1');
  ids.set(mail, String(row?.['id']));
  return mail;
}
const shown = async (mail: SentMail): Promise<boolean> => (await stored(mail)).status === 200;
async function keepFor(seconds: number): Promise<void> {
  const init = { method: 'PUT', body: new URLSearchParams({ message_ttl: String(seconds) }) };
  const changed = await call(`/v4/domains/${own.demo.domain}`, init);
  expect(await changed.json()).toMatchObject({ domain: { message_ttl: seconds } });
}
const arrived = async (): Promise<number> => {
  const response = await fetch(`${own.world.http}/count?to=${encodeURIComponent(ben.address('ok'))}`);
  return ((await response.json()) as { count: number }).count;
};

/** The content key as it lay in the vault, and open. */
const keyOf = (mail: SentMail): OctetNeedle[] =>
  saved.secrets
    .filter(({ table, ids: named }) => table.includes('content_key') && named.includes(idOf(mail)))
    .flatMap(({ wrapped, secret }) => [
      { name: `wrapped key of ${mail.title}`, octets: wrapped },
      { name: `open key of ${mail.title}`, octets: secret },
    ]);
const onDisk = async (mail: SentMail): Promise<string[]> =>
  (await scanForOctets([own.stores.dir], keyOf(mail))).findings.map(({ needle }) => needle);

/** How long it takes until no file of any store has the key. */
async function untilGone(mail: SentMail, since: number): Promise<number> {
  const gone = async (): Promise<boolean> => (await onDisk(mail)).length === 0;
  if (!(await until(gone, LIMIT_MS, 500))) throw new Error(`the key of ${mail.title} is still on disk`);
  return performance.now() - since;
}
const opens = async (mail: SentMail): Promise<boolean> => {
  const bodies = saved.bodies.filter(({ messageId }) => messageId === idOf(mail));
  expect(bodies).toHaveLength(1);
  const [tried] = new KeyProof(await secretsIn(own), []).bodies(bodies);
  return tried?.plaintext !== null;
};

describe('a message accepted under a retention of 0', () => {
  it('waits while it is not delivered, and is on no disk in clear', async () => {
    const early = await sent('early', 'ok');
    await idle(own);
    await keepFor(0);
    expect(await until(async () => !(await shown(early)), 10_000, 50)).toBe(true);
    own.platform.services.delivery.kill9({ hold: true });
    shredded = await sent('shredded', 'ok', '550');
    // A domain that keeps its mail for less time than before loses what it has: the others come when it keeps mail again.
    await keepFor(604_800);
    const keepsAgain = async (): Promise<boolean> => shown((removed = await sent('removed', 'ok')));
    expect(await until(keepsAgain, 10_000, 500)).toBe(true);
    kept = await sent('kept', 'ok');
    const content = shredded.marks.filter(({ name }) => /: (text|attachment)$/.test(name));
    expect(content).toHaveLength(2);
    expect(await everywhere(own, content)).toEqual([]);
    // What its events say stands in the search index, for the events' time.
    const about = (await everywhere(own, shredded.marks)).map(({ file }) => file);
    expect(about.filter((file) => !file.startsWith(own.stores.data.elasticsearch))).toEqual([]);
  });

  it('is shown to nobody, and whoever copies the disks now can open it', async () => {
    for (const init of [{}, { method: 'DELETE' }]) expect((await stored(shredded, init)).status).toBe(404);
    saved = await saveStores(own, ['delivery']);
    for (const mail of [shredded, removed, kept]) {
      expect(await opens(mail), mail.title).toBe(true);
      expect(await onDisk(mail), mail.title).toContain(`wrapped key of ${mail.title}`);
    }
  });

  it('within a minute of its last recipient its content key is in no file', async () => {
    own.platform.services.delivery.start();
    expect(await until(async () => (await arrived()) === ids.size, 60_000, 20)).toBe(true);
    const since = performance.now();
    const tookMs = await untilGone(shredded, since);
    console.log(`its key was gone ${(tookMs / 1_000).toFixed(1)} s after its delivery`);
    expect(tookMs).toBeLessThanOrEqual(LIMIT_MS);
    expect(
      await everywhere(
        own,
        shredded.marks.filter(({ name }) => /: (text|attachment)$/.test(name)),
      ),
    ).toEqual([]);
  });

  it('and the copy cannot be opened with every secret that is left, while those of others can', async () => {
    expect(await opens(shredded)).toBe(false);
    for (const mail of [removed, kept]) {
      expect(await opens(mail), mail.title).toBe(true);
      expect(await onDisk(mail), mail.title).toEqual([`wrapped key of ${mail.title}`]);
    }
  });
});

describe('a stored message that its account removes', () => {
  it('loses its content key within a minute, and the copy of it cannot be opened', async () => {
    expect(await shown(removed)).toBe(true);
    const since = performance.now();
    expect((await stored(removed, { method: 'DELETE' })).status).toBe(200);
    expect((await stored(removed)).status).toBe(404);
    const tookMs = await untilGone(removed, since);
    console.log(`its key was gone ${(tookMs / 1_000).toFixed(1)} s after it was removed`);
    expect(tookMs).toBeLessThanOrEqual(LIMIT_MS);
    expect([await opens(removed), await opens(kept)]).toEqual([false, true]);
  });
});
