import type { paging } from '@lethe/service';
import { z } from 'zod';
import { normalDomain } from '../domains/domain-name.ts';
import { form } from '../domains/form.ts';
import type { DkimKeyPage, KnownDkimKey } from './dkim-keys.service.ts';

const PAGE = /^(?:first|last|(?:after|before)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Go's client repeats what a link has already; the last one counts. */
const last = (value: unknown): unknown => (Array.isArray(value) ? value.at(-1) : value);

/** Mailgun's filters of `GET /v1/dkim/keys`; JavaScript's client sends `page` and `limit` empty. */
export const keyFilter = form({
  // What is no domain is no domain of a key.
  signing_domain: z
    .string('is one domain name')
    .transform((text) => normalDomain(text) ?? '')
    .optional(),
  selector: z.string('is one selector').max(63, 'is one label').toLowerCase().optional(),
  limit: z.preprocess(last, z.coerce.number('must be a number').int().min(1).max(100).default(10)),
  page: z.string('is one page').regex(PAGE, 'is no page of this list: follow the links of a page').default('first'),
});
type Filter = z.infer<typeof keyFilter>;

export function pageOf({ signing_domain: signingDomain, selector, limit, page }: Filter): DkimKeyPage {
  const pivot = page.includes('-') ? page.slice(page.indexOf('-') + 1) : undefined;
  return { signingDomain, selector, limit, pivot, backwards: page === 'last' || page.startsWith('before') };
}

/** The four links, absolute and always there (mailgun-api §1). An empty page keeps its place, and leads back to its end. */
export function pageLinks(collection: string, filter: Filter, shown: readonly KnownDkimKey[]): z.infer<typeof paging> {
  const { pivot, backwards } = pageOf(filter);
  const link = (page: string): string => {
    const query = new URLSearchParams({ page, limit: String(filter.limit) });
    if (filter.signing_domain !== undefined) query.set('signing_domain', filter.signing_domain);
    if (filter.selector !== undefined) query.set('selector', filter.selector);
    return `${collection}?${query.toString()}`;
  };
  const [first, last] = [shown[0]?.key.id, shown.at(-1)?.key.id];
  const next = last ?? (backwards ? undefined : pivot);
  const previous = first ?? (backwards ? pivot : undefined);
  return {
    first: link('first'),
    next: link(next === undefined ? 'first' : `after-${next}`),
    previous: link(previous === undefined ? 'last' : `before-${previous}`),
    last: link('last'),
  };
}
