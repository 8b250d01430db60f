import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killStream } from '../support/kill-stream.ts';
import { startOwnPlatform, TARGETS, type OwnPlatform } from '../support/own-platform.ts';

const MINUTES = Number(process.env['CHAOS_MINUTES'] ?? 10);
const MESSAGES_A_KILL = 200;

let own: OwnPlatform;

beforeAll(async () => {
  own = await startOwnPlatform('chaos');
}, 300_000);
afterAll(() => own?.stop());

describe(`kill -9 of parts at random, for ${MINUTES} minutes`, () => {
  it('loses nothing that was acknowledged, and doubles nothing unmarked', async () => {
    const end = Date.now() + MINUTES * 60_000;
    let kills = 0;
    const result = await killStream(own, {
      next: () => {
        const target = TARGETS[Math.floor(Math.random() * TARGETS.length)];
        if (target === undefined || Date.now() > end) return null;
        kills += 1;
        return { target, messages: MESSAGES_A_KILL };
      },
    });
    const { acknowledged, refused, unacknowledgedArrivals, markedDuplicates, unmarkedDuplicates } = result;
    console.log(
      `${kills} kills; ${acknowledged} acknowledged; tries refused: ${JSON.stringify(refused)}; ` +
        `${unacknowledgedArrivals} arrived without having been acknowledged; ` +
        `${markedDuplicates} duplicates marked maybe-duplicate, ${unmarkedDuplicates.length} unmarked`,
    );
    expect(result).toMatchObject({
      missing: [],
      wrongBody: [],
      unmarkedDuplicates: [],
      withoutAccepted: [],
      withoutDelivered: [],
      doubledEvents: [],
    });
  });
});
