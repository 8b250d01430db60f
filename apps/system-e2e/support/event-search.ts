import { get } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

interface Page {
  items: { id: string; message: { headers: Record<string, string> } }[];
  paging: { next: string };
}

/** Reads all events of a kind, page by page, as a client does. @returns how many each Message-ID has. */
export async function eventsByMessage(
  own: OwnPlatform,
  event: 'accepted' | 'delivered',
  begin: Date,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const first = new URLSearchParams({
    event,
    ascending: 'yes',
    limit: '300',
    begin: String(Math.floor(begin.getTime() / 1_000)),
  });
  let url = `${own.platform.gateway}/v3/${own.demo.domain}/events?${first.toString()}`;
  for (;;) {
    const response = await get(url, own.demo.apiKey);
    if (response.status !== 200) throw new Error(`events answered ${response.status}`);
    const { items, paging } = (await response.json()) as Page;
    if (items.length === 0) return found;
    for (const { message } of items) {
      const id = message.headers['message-id'] ?? '';
      found.set(id, (found.get(id) ?? 0) + 1);
    }
    url = paging.next;
  }
}
