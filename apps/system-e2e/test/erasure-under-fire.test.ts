import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arrivals } from '../support/arrivals.ts';
import { Erasures } from '../support/erasure-api.ts';
import { DoomedPerson, SteadyStream } from '../support/erasure-fire.ts';
import { erasedSubjects, leftOf } from '../support/erasure-ledger.ts';
import { deletedDocuments } from '../support/erasure-scan.ts';
import { judge } from '../support/kill-stream.ts';
import { MailStream } from '../support/mail-stream.ts';
import { killAndRecover, startOwnPlatform, TARGETS, type OwnPlatform } from '../support/own-platform.ts';
import { idle } from '../support/pipeline.ts';

const PER_SECOND = 200;
/** From a kill until everything is ready again. */
const PER_SECOND_MEANWHILE = 10;
const COMPLETED_WITHIN_MS = 300_000;

let own: OwnPlatform;

beforeAll(async () => {
  own = await startOwnPlatform('fire', { world: { slowMs: 1_500, greylistMs: 1_500, maxMessages: 200_000 } });
}, 300_000);
afterAll(() => own?.stop());

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe(`erasures while ${PER_SECOND} messages a second flow and each part is killed in turn`, () => {
  it('complete and are true, and nobody else loses anything', { timeout: 1_200_000 }, async () => {
    const erasures = new Erasures(own);
    const begin = new Date();
    const steady = new SteadyStream(new MailStream(own.platform.gateway, own.demo, 180_000), PER_SECOND);
    const people: DoomedPerson[] = [];
    for (const [round, target] of TARGETS.entries()) {
      const person = new DoomedPerson(own, `fire${round}`);
      people.push(person);
      person.start();
      await person.writtenTo();
      await person.order(erasures);
      // Each in another of the steps that an erasure goes through.
      await wait((round * 900) % 5_000);
      steady.perSecond = PER_SECOND_MEANWHILE;
      const recoveredMs = await killAndRecover(own, target);
      steady.perSecond = PER_SECOND;
      await person.fenced(erasures);
      console.log(`kill -9 ${target} during an erasure: all ready after ${(recoveredMs / 1_000).toFixed(1)} s`);
    }
    const rate = await steady.stop();
    const { stream } = steady;
    console.log(`${stream.acknowledged.length} messages acknowledged meanwhile, ${rate.toFixed(0)} a second`);

    const done = await Promise.all(
      people.map(({ erasure }) => erasures.completed(erasure?.id ?? '', COMPLETED_WITHIN_MS)),
    );
    await idle(own, 180_000);
    const arrivals = new Arrivals(own.world);
    await arrivals.collect();

    for (const [index, { id, received_at: received, completed_at: completed, holders }] of done.entries()) {
      const tookMs = Date.parse(completed ?? '') - Date.parse(received);
      const asked = holders.map(({ service, attempts }) => `${service} ${attempts}`).join(', ');
      const { late, missing, before, after } = people[index]?.judge(arrivals) ?? {
        late: ['?'],
        missing: [],
        before: 0,
        after: 0,
      };
      console.log(
        `${TARGETS[index]}: ${(tookMs / 1_000).toFixed(1)} s; ${before} mails of before the fence, ${late.length} late; ` +
          `${after} of after it, ${missing.length} missing; asked: ${asked}`,
      );
      expect(before).toBeGreaterThan(5);
      expect({ late, missing }).toEqual({ late: [], missing: [] });
      const { payload } = await erasures.certificate(id);
      expect(payload.jti).toBe(id);
      expect(payload.kept).toEqual([]);
      const subjects = await erasedSubjects(own, id);
      expect(subjects.length).toBeGreaterThan(0);
      expect(await leftOf(own, subjects)).toEqual({});
    }
    expect(await deletedDocuments(own)).toEqual({});
    expect(await judge(own, stream, arrivals, begin)).toMatchObject({
      missing: [],
      wrongBody: [],
      unmarkedDuplicates: [],
      withoutAccepted: [],
      withoutDelivered: [],
      doubledEvents: [],
    });
  });
});
