import type { BodyRef, BodyStore } from '@lethe/bodies';

/** Messages looked at by one query. */
export const PAGE = 5_000;
/** Before every id. */
export const FIRST = '00000000-0000-0000-0000-000000000000';

/** How many messages there are, and how many of them have a body. `page`: up to PAGE of them behind an id, in order of ids. */
export async function countMessages(
  bodies: BodyStore,
  page: (after: string) => Promise<{ id: string; drop_at: Date }[]>,
): Promise<{ message: number; body: number }> {
  const counted = { message: 0, body: 0 };
  for (let after: string | undefined = FIRST; after !== undefined;) {
    const rows = await page(after);
    const refs = rows.map(({ id, drop_at: dropAt }): BodyRef => ({ messageId: id, dropAt }));
    counted.message += refs.length;
    if (refs.length > 0) counted.body += await bodies.count(refs);
    after = rows.length === PAGE ? rows.at(-1)?.id : undefined;
  }
  return counted;
}
