import { get } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

export interface FoundEvent {
  readonly id: string;
  readonly event: string;
  readonly recipient: string;
  readonly severity?: 'permanent' | 'temporary';
  readonly reason?: string;
  readonly 'delivery-status'?: { readonly 'attempt-no'?: number };
  readonly message: { readonly headers: Readonly<Record<string, string>> };
}

/** All events since `begin` that pass the filter (mailgun-api §3), page by page, as a client reads them. */
export async function* eventsSince(
  own: OwnPlatform,
  filter: Readonly<Record<string, string>>,
  begin: Date,
): AsyncGenerator<FoundEvent> {
  const first = new URLSearchParams({
    ...filter,
    ascending: 'yes',
    limit: '300',
    begin: String(Math.floor(begin.getTime() / 1_000)),
  });
  let url = `${own.platform.gateway}/v3/${own.demo.domain}/events?${first.toString()}`;
  for (;;) {
    const response = await get(url, own.demo.apiKey);
    if (response.status !== 200) throw new Error(`events answered ${response.status}`);
    const { items, paging } = (await response.json()) as { items: FoundEvent[]; paging: { next: string } };
    if (items.length === 0) return;
    yield* items;
    url = paging.next;
  }
}

/** Reads all events of a kind. @returns how many each Message-ID has. */
export async function eventsByMessage(
  own: OwnPlatform,
  event: 'accepted' | 'delivered',
  begin: Date,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { message } of eventsSince(own, { event }, begin)) {
    const id = message.headers['message-id'] ?? '';
    found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}
