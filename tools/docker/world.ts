import { connect, createServer } from 'node:net';
import { startWorld } from '@lethe/testing';

/**
 * The SMTP world in its container. It listens on loopback, as everywhere, and delivery shares that loopback; only its
 * page is passed on to the container's own address, so that people can look at it.
 */
const PAGE_PORT = 8025;
const world = await startWorld({ dnsPort: 5353, smtpPort: 2525 });
const page = new URL(world.http);

const relay = createServer((incoming) => {
  const outgoing = connect(Number(page.port), page.hostname);
  incoming.pipe(outgoing).pipe(incoming);
  for (const [one, other] of [
    [incoming, outgoing],
    [outgoing, incoming],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
});
relay.maxConnections = 200;
relay.listen(PAGE_PORT, '0.0.0.0', () => console.log(`the SMTP world shows what arrived on port ${PAGE_PORT}`));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    relay.close();
    void world.stop().then(() => process.exit(0));
  });
}
