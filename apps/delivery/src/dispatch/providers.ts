/**
 * Whose servers take much of all mail: the only destinations telemetry names. Any other label could name a person's own
 * domain (design §4).
 */
const BY_SUFFIX = [
  ['.google.com', 'google'],
  ['.googlemail.com', 'google'],
  ['.outlook.com', 'microsoft'],
  ['.yahoodns.net', 'yahoo'],
  ['.icloud.com', 'apple'],
  ['.gmx.net', 'united-internet'],
  ['.web.de', 'united-internet'],
  ['.t-online.de', 'telekom'],
  ['.orange.fr', 'orange'],
  ['.mail.ru', 'vk'],
  ['.yandex.net', 'yandex'],
  ['.qq.com', 'tencent'],
  ['.protonmail.ch', 'proton'],
] as const;

export type Provider = (typeof BY_SUFFIX)[number][1] | 'other';
export const PROVIDERS: readonly Provider[] = [...new Set(BY_SUFFIX.map(([, provider]) => provider)), 'other'];

/** By the exchanger's name, since most domains of a provider are its customers'. */
export function providerOf(host: string | undefined): Provider {
  const name = host?.toLowerCase() ?? '';
  return BY_SUFFIX.find(([suffix]) => name.endsWith(suffix))?.[1] ?? 'other';
}
