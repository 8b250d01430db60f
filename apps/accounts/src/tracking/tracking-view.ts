import { said } from '@lethe/service';
import { z } from 'zod';
import type { Tracking } from './tracking.service.ts';

const active = z.object({ active: z.boolean() });
const opens = active.extend({ place_at_the_top: z.boolean() });
const unsubscribes = active.extend({ html_footer: z.string(), text_footer: z.string() });

export const trackingShape = z.object({
  tracking: z.object({
    open: opens,
    click: active,
    unsubscribe: unsubscribes,
    web_scheme: z.enum(['http', 'https']),
  }),
});
export const openChanged = said.extend({ open: opens });
export const clickChanged = said.extend({ click: active });
export const unsubscribeChanged = said.extend({ unsubscribe: unsubscribes });

/** Booleans all of them: Go's client fails on a string, so `htmlonly` reads as active. */
export const openItem = ({ domain }: Tracking): z.infer<typeof opens> => ({
  active: domain.openTracking,
  place_at_the_top: domain.openTrackingTop,
});

export const clickItem = ({ domain }: Tracking): z.infer<typeof active> => ({
  active: domain.clickTracking !== 'no',
});

export const unsubscribeItem = ({ domain, footer }: Tracking): z.infer<typeof unsubscribes> => ({
  active: domain.unsubscribeTracking,
  html_footer: footer.html,
  text_footer: footer.text,
});
