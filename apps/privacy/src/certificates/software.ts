import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Which program vouches for a certificate. */
export const SOFTWARE = { name: 'lethe', version } as const;
