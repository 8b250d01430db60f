import { afterAll, beforeAll, describe, it } from 'vitest';
import { DESTINATIONS } from '../support/destinations.ts';
import { ManyDestinations, startManyDestinations } from '../support/many-destinations.ts';
import { expectNoFault } from '../support/many-verdict.ts';
import { TARGETS, type OwnPlatform } from '../support/own-platform.ts';

const MESSAGES = 3_000;

let own: OwnPlatform;

beforeAll(async () => {
  own = await startManyDestinations('many');
}, 300_000);
afterAll(() => own?.stop());

describe(`${MESSAGES} messages over ${DESTINATIONS.length} destinations, while each part is killed in turn`, () => {
  it('0 lost, 0 sent after a suppression, every duplicate says that it may be one', { timeout: 900_000 }, async () => {
    const options = { messages: MESSAGES, people: 96, kills: TARGETS, paceMs: 600 };
    const verdict = await new ManyDestinations(own, options).run();
    expectNoFault(verdict);
  });
});
