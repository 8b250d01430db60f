import type { Tracking } from './tracking.service.ts';

/** Booleans all of them: Go's client fails on a string, so `htmlonly` reads as active. */
export const openItem = ({ domain }: Tracking): Record<string, boolean> => ({
  active: domain.openTracking,
  place_at_the_top: domain.openTrackingTop,
});

export const clickItem = ({ domain }: Tracking): Record<string, boolean> => ({
  active: domain.clickTracking !== 'no',
});

export const unsubscribeItem = ({ domain, footer }: Tracking): Record<string, boolean | string> => ({
  active: domain.unsubscribeTracking,
  html_footer: footer.html,
  text_footer: footer.text,
});
