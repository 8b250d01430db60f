import { afterAll, beforeAll, describe, it } from 'vitest';
import { DESTINATIONS } from '../support/destinations.ts';
import { ManyDestinations, startManyDestinations } from '../support/many-destinations.ts';
import { expectNoFault } from '../support/many-verdict.ts';
import type { OwnPlatform } from '../support/own-platform.ts';

const MESSAGES = Number(process.env['CHAOS_MESSAGES'] ?? 20_000);
const ROUNDS = 4;

let own: OwnPlatform;

beforeAll(async () => {
  own = await startManyDestinations('many');
}, 300_000);
afterAll(() => own?.stop());

describe(`${MESSAGES} messages over ${DESTINATIONS.length} destinations, delivery, Kafka and PostgreSQL killed ${ROUNDS} times each`, () => {
  it('0 lost, 0 sent after a suppression, every duplicate says that it may be one', async () => {
    const kills = Array.from({ length: ROUNDS }, () => ['delivery', 'kafka', 'postgres'] as const).flat();
    const verdict = await new ManyDestinations(own, { messages: MESSAGES, people: 400, kills }).run();
    expectNoFault(verdict);
  });
});
