import { startWorld, type WorldOptions } from './world.ts';

/**
 * The world as a process of its own: `node --conditions=@lethe/source main.ts`. Prints one JSON line with its addresses
 * once it serves; SIGTERM or SIGINT ends it. Every setting is optional and a number, but WORLD_DOMAIN.
 */
const NUMBERS = {
  WORLD_SMTP_PORT: 'smtpPort',
  WORLD_DNS_PORT: 'dnsPort',
  WORLD_HTTP_PORT: 'httpPort',
  WORLD_MAX_MESSAGES: 'maxMessages',
  WORLD_MAX_BYTES: 'maxBytes',
  WORLD_MAX_MESSAGE_BYTES: 'maxMessageBytes',
  WORLD_GREYLIST_MS: 'greylistMs',
  WORLD_SLOW_MS: 'slowMs',
} as const satisfies Record<string, Exclude<keyof WorldOptions, 'destinations' | 'smtpAddresses'>>;

const options: WorldOptions = {};
for (const [variable, name] of Object.entries(NUMBERS)) {
  const text = process.env[variable];
  if (text === undefined || text === '') continue;
  if (!/^\d{1,12}$/.test(text)) {
    console.error(`${variable} must be a whole number`);
    process.exit(2);
  }
  options[name] = Number(text);
}
const domain = process.env['WORLD_DOMAIN'];
if (domain) options.domain = domain;

try {
  const world = await startWorld(options);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void world.stop().then(() => process.exit(0)));
  }
  console.log(JSON.stringify(world));
} catch (error) {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const taken =
    code === 'EADDRINUSE' ? `port ${port} is taken: choose another one (WORLD_…_PORT) or end what uses it` : '';
  console.error(`The SMTP world did not start: ${taken || (error as Error).message}`);
  process.exit(1);
}
