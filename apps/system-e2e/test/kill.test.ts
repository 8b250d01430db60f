import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killStream } from '../support/kill-stream.ts';
import { startOwnPlatform, TARGETS, type OwnPlatform } from '../support/own-platform.ts';

const MESSAGES = 2_000;

let own: OwnPlatform;

beforeAll(async () => {
  own = await startOwnPlatform('kill');
}, 180_000);
afterAll(() => own?.stop());

describe('kill -9 of each part in turn during a stream of messages', () => {
  it('loses nothing that was acknowledged, and doubles nothing unmarked', { timeout: 420_000 }, async () => {
    const left = [...TARGETS];
    const share = Math.ceil(MESSAGES / TARGETS.length);
    const result = await killStream(own, {
      next: () => {
        const target = left.shift();
        const messages = Math.min(share, MESSAGES - share * (TARGETS.length - left.length - 1));
        return target === undefined ? null : { target, messages };
      },
    });
    console.log(
      `${result.acknowledged} acknowledged; tries refused: ${JSON.stringify(result.refused)}; ` +
        `${result.unacknowledgedArrivals} arrived without having been acknowledged; ` +
        `${result.markedDuplicates} duplicates marked maybe-duplicate, ${result.unmarkedDuplicates.length} unmarked`,
    );
    expect(result).toMatchObject({
      acknowledged: MESSAGES,
      missing: [],
      wrongBody: [],
      unmarkedDuplicates: [],
      withoutAccepted: [],
      withoutDelivered: [],
      doubledEvents: [],
    });
  });
});
