import { createLog, StartupError } from '@lethe/service';
import { KafkaClient } from '@lethe/kafka';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EventDocument } from '../src/index/event.document.ts';
import { withoutSubjects } from '../src/index/event.people.ts';
import { rebuild } from '../src/rebuild/rebuild.ts';
import { startSurroundings, type Surroundings } from './support/surroundings.ts';

const ERASED = 'erased@people.example';
const DAY = 86_400_000;

let around: Surroundings;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
}, 120_000);
afterAll(() => around?.close());

/** As main does: with a client of its own. */
async function run(): Promise<ReturnType<typeof rebuild>> {
  const kafka = new KafkaClient('events', around.kafka.config, createLog({ service: 'test', level: 'silent' }));
  try {
    return await rebuild(kafka, around.search, around.prefix);
  } finally {
    await kafka.close();
  }
}

const byId = (documents: readonly EventDocument[]) => new Map(documents.map((each) => [each.id, each]));

describe('a rebuild from mail-events', { timeout: 180_000 }, () => {
  it('is refused while the service runs, and changes nothing then', async () => {
    await around.publish([
      ...Array.from({ length: 40 }, (_, index) => ({
        to: `r${index}@people.example`,
        at: Date.now() - (index * DAY) / 4,
      })),
      { to: ERASED },
      { to: ERASED, type: 'failed', cc: ['r1@people.example'], class: 'e7' },
      { to: 'r2@people.example', from: `Erased <${ERASED}>` },
      { to: 'r3@people.example', cc: [ERASED, 'r4@people.example'], type: 'delivered' },
    ]);
    await around.indexed(44);
    await expect(run()).rejects.toThrow(StartupError);
    expect(await around.documents()).toHaveLength(44);
  });

  it('brings back everyone as they were, but the erased, also where others mention them', async () => {
    const before = byId(await around.documents());
    const subject = await around.subjectOf(ERASED);
    await around.destroy(ERASED);
    await around.stop();
    expect(await run()).toMatchObject({ records: 44 });
    expect(await around.search.indicesOf(`${around.prefix}events-*`)).toEqual([]);
    // An event meanwhile, and one that comes after.
    await around.publish([{ to: 'meanwhile@people.example' }]);
    await around.start();
    await around.publish([{ to: 'after@people.example' }]);
    const after = byId(await around.indexed(44));
    expect(JSON.stringify([...after.values()])).not.toMatch(/erased@|Erased/);

    const expected = [...before.values()].filter(({ recipient_subject: of }) => of !== subject);
    expect(expected).toHaveLength(42);
    for (const document of expected) {
      expect(after.get(document.id)).toEqual(withoutSubjects(document, new Set([subject])));
    }
    const unchanged = expected.filter((document) => !document.subjects.includes(subject));
    expect(unchanged).toHaveLength(40);
    for (const document of unchanged) expect(after.get(document.id)).toEqual(document);
    const added = [...after.values()].filter(({ id }) => !before.has(id)).map(({ recipient }) => recipient);
    expect(added.toSorted()).toEqual(['after@people.example', 'meanwhile@people.example']);
  });
});
