import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { quietQueues } from './quiet-queues.ts';

interface Queue {
  push(request: object): void;
  fulfillRequest(response: object): void;
  destroy(): void;
  maybeThrottle(ms: number): void;
}
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as new (
  options: object,
) => Queue;

describe('a connection of kafkajs', () => {
  quietQueues();
  let queue: Queue;
  const sent: number[] = [];
  const start = (maxInFlightRequests: number): void => {
    sent.length = 0;
    const logger = { debug: () => undefined, warn: () => undefined };
    queue = new RequestQueue({ maxInFlightRequests, requestTimeout: 1_000, clientId: 'test', broker: 'b', logger });
  };
  const push = (correlationId: number): void =>
    queue.push({
      entry: { correlationId, resolve: () => undefined, reject: () => undefined },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    });
  const answer = (correlationId: number): void => queue.fulfillRequest({ correlationId, size: 0, payload: null });

  afterEach(() => {
    queue.destroy();
    vi.restoreAllMocks();
  });

  it('sets no timer while nothing waits to be sent', () => {
    start(10);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    push(1);
    answer(1);
    expect(sent).toEqual([1]);
    expect(timers).not.toHaveBeenCalled();
  });

  it('sends what waits for an answer to another one', () => {
    start(1);
    push(1);
    push(2);
    expect(sent).toEqual([1]);
    answer(1);
    expect(sent).toEqual([1, 2]);
  });

  it('sends what the broker throttles, later', async () => {
    start(10);
    queue.maybeThrottle(50);
    push(1);
    expect(sent).toEqual([]);
    await sleep(150);
    expect(sent).toEqual([1]);
  });
});
