import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** kafkajs' own queue of one connection: not exported by name, but its package has no `exports` that would hide it. */
const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
  prototype: RequestQueue;
};

/**
 * kafkajs 2.2.4 looks every millisecond, on every connection and for ever, for requests that wait to be sent, because
 * looking schedules the next look even when none waits (hence its TimeoutNegativeWarning). With seven idle services that was
 * a third of two cores. One that comes to wait schedules a look itself, so nothing is lost by not looking.
 */
export function quietQueues(): void {
  const { scheduleCheckPendingRequests: schedule } = prototype as { scheduleCheckPendingRequests(this: void): void };
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) Reflect.apply(schedule, this, []);
  };
}
