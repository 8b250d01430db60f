let stop: (() => Promise<void>) | undefined;

/** The preload leaves here how its exporters are flushed. */
export function onStopTelemetry(flush: () => Promise<void>): void {
  stop = flush;
}

/** Sends what was measured and not sent yet. A collector that is away must not hold up the stop. */
export async function stopTelemetry(): Promise<void> {
  await stop?.().catch(() => undefined);
}
