import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { until } from '@lethe/testing';
import { atRate, quantile, textOf } from '../load.ts';
import { SmtpSession } from '../smtp-session.ts';
import type { Relay } from './relay.ts';

/** What Lethe is to reach, by messages a second: from the relay's 250 to the final dot at the sink, p50 and p99 in ms. */
const GOALS: Readonly<Record<number, string>> = { 20: '10 / 50', 200: '20 / 150' };
const SECONDS = 15;
const OCTETS = 1_024;
const ARRIVES_WITHIN_MS = 30_000;

/** Takes everything, and notes when the final dot of each message came, monotonic ms. */
export interface ProbeSink {
  readonly arrived: ReadonlyMap<string, number>;
  stop(): void;
}

export async function startProbeSink(port: number): Promise<ProbeSink> {
  const arrived = new Map<string, number>();
  const server = createServer((socket) => {
    // A relay that ends while it is being stopped.
    socket.on('error', () => undefined);
    socket.setNoDelay(true).write('220 sink.example ESMTP\r\n');
    receive(socket, arrived);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { arrived, stop: () => void server.close() };
}

function receive(socket: Socket, arrived: Map<string, number>): void {
  let rest = '';
  let id: string | undefined;
  let inData = false;
  socket.on('data', (chunk: Buffer) => {
    const now = performance.now();
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    let replies = '';
    for (const line of lines) {
      if (!inData) {
        inData = line === 'DATA';
        replies += line.startsWith('EHLO') ? '250-sink.example\r\n250 PIPELINING\r\n' : `${inData ? 354 : 250} ok\r\n`;
      } else if (line === '.') {
        if (id !== undefined) arrived.set(id, now);
        [inData, id] = [false, undefined];
        replies += '250 ok\r\n';
      } else if (line.startsWith('X-Probe: ')) id ??= line.slice(9);
    }
    if (replies !== '') socket.write(replies);
  });
}

/** A line of how long messages take at a steady rate, however long those before them take, over sessions that stay. */
export async function latency(relay: Relay, sink: ProbeSink, perSecond: number): Promise<string> {
  const free: SmtpSession[] = [];
  const all: SmtpSession[] = [];
  const taken: { id: string; ms: number; at: number }[] = [];
  const send = async (id: string): Promise<void> => {
    let session = free.pop();
    if (!session) all.push((session = await SmtpSession.open(relay.port)));
    const begun = performance.now();
    const header = `From: bench@bench.example\r\nTo: someone@sink.example\r\nSubject: Bench\r\nX-Probe: ${id}\r\n\r\n`;
    const content = Buffer.from(`${header}${textOf(OCTETS)}\r\n.\r\n`);
    await session.send('bench@bench.example', 'someone@sink.example', content);
    const at = performance.now();
    taken.push({ id, ms: at - begun, at });
    free.push(session);
  };
  await atRate({ perSecond, seconds: SECONDS }, (n) => send(`${relay.name}-${perSecond}-${n}`));
  const missing = (): number => taken.filter(({ id }) => !sink.arrived.has(id)).length;
  await until(() => missing() === 0, ARRIVES_WITHIN_MS);
  for (const session of all) session.close();
  if (missing() > 0) throw new Error(`${relay.name} delivered all but ${missing()} of ${taken.length} messages`);
  // It may be there before its sender has read that it was taken.
  const delivered = taken.map(({ id, at }) => Math.max(0, (sink.arrived.get(id) ?? at) - at));
  const goal = relay.name === 'Lethe' ? ` (goal ${GOALS[perSecond]})` : '';
  return (
    `${perSecond}/s ${relay.name}: envelope to 250 ${shares(taken.map(({ ms }) => ms))} ms, ` +
    `from there to the sink ${shares(delivered)} ms${goal}`
  );
}

const shares = (values: readonly number[]): string =>
  `${quantile(values, 0.5).toFixed(1)} / ${quantile(values, 0.99).toFixed(1)}`;
