const ADDRESS = /[^\s"'<>(),;:\\[\]{}]*(?:@|%40|\\u0040|&#64;|=40)[^\s"'<>(),;:\\[\]{}]*/giu;

/** The last defence: replaces whatever looks like an address in text that should hold none. */
export function maskAddresses(text: string): string {
  return text.replace(ADDRESS, '<masked>');
}
