/** What a site takes from all of us together. */
export interface Takes {
  /** Sessions at once. */
  sessions: number;
  /** Messages over one session; then it is closed. */
  messagesPerSession: number;
  /** Messages per second; none: as fast as the sessions go. */
  messagesPerSecond?: number | undefined;
}

interface LargeProvider {
  provider: string;
  /** Ends of their exchangers' names. */
  below: readonly string[];
  takes: Takes;
}

/**
 * Whose servers take much of all mail, and what they take. They are the only destinations telemetry names: any other label could
 * name a person's own domain (design §4). Yahoo publishes its messages per session, Orange its sessions; the other figures are what
 * careful senders customarily begin with. An operator who was told other ones says so in `SHAPING`.
 */
const LARGE = [
  { provider: 'google', below: ['.google.com', '.googlemail.com'], takes: { sessions: 10, messagesPerSession: 50 } },
  { provider: 'microsoft', below: ['.outlook.com', '.mx.microsoft'], takes: { sessions: 10, messagesPerSession: 50 } },
  { provider: 'yahoo', below: ['.yahoodns.net'], takes: { sessions: 5, messagesPerSession: 20 } },
  { provider: 'apple', below: ['.icloud.com'], takes: { sessions: 10, messagesPerSession: 5 } },
  { provider: 'united-internet', below: ['.gmx.net', '.web.de'], takes: { sessions: 5, messagesPerSession: 100 } },
  {
    provider: 'telekom',
    below: ['.t-online.de'],
    takes: { sessions: 5, messagesPerSession: 50, messagesPerSecond: 20 },
  },
  { provider: 'orange', below: ['.orange.fr'], takes: { sessions: 3, messagesPerSession: 100, messagesPerSecond: 15 } },
  { provider: 'vk', below: ['.mail.ru'], takes: { sessions: 5, messagesPerSession: 50 } },
  { provider: 'yandex', below: ['.yandex.net'], takes: { sessions: 5, messagesPerSession: 50 } },
  { provider: 'tencent', below: ['.qq.com'], takes: { sessions: 5, messagesPerSession: 50, messagesPerSecond: 10 } },
  { provider: 'proton', below: ['.protonmail.ch'], takes: { sessions: 5, messagesPerSession: 50 } },
] as const satisfies readonly LargeProvider[];

export type Provider = (typeof LARGE)[number]['provider'] | 'other';
export const PROVIDERS: readonly Provider[] = [...LARGE.map(({ provider }) => provider), 'other'];

/** By the exchanger's name, since most domains of a provider are its customers'. */
export function providerOf(host: string | undefined): Provider {
  return largeProvider(host)?.provider ?? 'other';
}

export function largeProvider(host: string | undefined): { provider: Provider; takes: Takes } | undefined {
  const name = host?.toLowerCase() ?? '';
  return LARGE.find(({ below }) => below.some((end) => name.endsWith(end)));
}
