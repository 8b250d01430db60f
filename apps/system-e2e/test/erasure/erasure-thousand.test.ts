import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { form, sendMessage } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Erasures } from '../../support/erasure-api.ts';
import { erasedSubjects, leftOf } from '../../support/erasure-ledger.ts';
import { indexedEvents } from '../../support/erasure-records.ts';
import { deletedDocuments } from '../../support/erasure-scan.ts';
import { startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';
import { idle } from '../../support/pipeline.ts';

const PEOPLE = 1_000;
const LIMIT_MS = 5 * 60_000;

let own: OwnPlatform;
const people = Array.from({ length: PEOPLE }, (_, n) => `ok+p${n}@${n % 2 === 0 ? 'even' : 'odd'}.example`);
const neighbours = Array.from({ length: 50 }, (_, n) => `ok+n${n}@even.example`);

beforeAll(async () => {
  own = await startOwnPlatform('thousand');
  // All at once, as blind recipients; in tens that see each other and a neighbour; and a hundred alone.
  await send({ to: neighbours[0] ?? '', bcc: people.slice(0, PEOPLE - 1).join(',') });
  for (let from = 0; from < PEOPLE; from += 10) {
    await send({ to: [neighbours[(from / 10) % 50] ?? '', ...people.slice(from, from + 10)] });
  }
  for (const to of people.slice(0, 100)) await send({ to });
  await idle(own, 240_000);
});
afterAll(() => own?.stop());

async function send(recipients: Record<string, string | string[]>): Promise<void> {
  const fields = { from: `ann@${own.demo.domain}`, subject: 'To many', text: 'Hello there', ...recipients };
  const response = await sendMessage(own.platform.gateway, own.demo, form(fields));
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  await response.text();
}

/** How often Elasticsearch merged deleted documents away (shards, all indices), and keys were destroyed by the ledger. */
async function passes({ stores, platform }: OwnPlatform): Promise<{ merges: number; keys: number }> {
  const response = await fetch(`${stores.elasticsearch}/_nodes/stats/thread_pool`);
  const { nodes } = (await response.json()) as {
    nodes: Record<string, { thread_pool: { force_merge: { completed: number } } }>;
  };
  const merges = Object.values(nodes).reduce((sum, { thread_pool: pool }) => sum + pool.force_merge.completed, 0);
  const log = readFileSync(join(platform.logDir, 'privacy.log'), 'utf8');
  return { merges, keys: log.split('"vault.keys-destroyed"').length - 1 };
}

describe(`${PEOPLE} people in one request`, () => {
  it('are erased within five minutes, the others are not', { timeout: LIMIT_MS + 60_000 }, async () => {
    const before = await indexedEvents(own);
    const passesBefore = await passes(own);
    const { erasure, certificate, tookMs } = await new Erasures(own).erase(
      { subjects: people.map((address) => ({ address })) },
      LIMIT_MS,
    );
    const { holders } = erasure;
    const removed = Object.assign(
      {},
      ...holders.map(({ service, removed: counts }) => ({ [service]: counts })),
    ) as object;
    const asked = holders.map(({ service, attempts }) => `${service} ${attempts}`).join(', ');
    console.log(
      `${PEOPLE} people: ${(tookMs / 1_000).toFixed(1)} s from request to certificate; times asked: ${asked}; ` +
        `removed ${JSON.stringify(removed)}; ${before.size} events before`,
    );
    const { merges, keys } = await passes(own);
    console.log(`passes: ${merges - passesBefore.merges} of Elasticsearch, ${keys - passesBefore.keys} of the vault`);
    expect(merges - passesBefore.merges).toBeGreaterThan(0);
    expect(keys - passesBefore.keys).toBe(1);
    expect(tookMs).toBeLessThanOrEqual(LIMIT_MS);
    expect(certificate.payload.kept).toEqual([]);
    const subjects = await erasedSubjects(own, erasure.id);
    expect(subjects).toHaveLength(PEOPLE);
    expect(await leftOf(own, subjects)).toEqual({});
    expect(await deletedDocuments(own)).toEqual({});
    const erased = new Set(subjects);
    const others = [...before].filter(([, { recipient_subject: subject }]) => !erased.has(subject)).map(([id]) => id);
    expect([...(await indexedEvents(own)).keys()].toSorted()).toEqual(others.toSorted());
  });
});
