import { until, type Login } from '@lethe/testing';
import { textOf, type Sender } from './load.ts';
import { SmtpSession } from './smtp-session.ts';

/** As many sessions as there are connections, each for many messages. @throws on any reply but 250. */
export async function smtpSender(port: number, login: Login, connections: number): Promise<Sender> {
  // The login reaches ingest over Kafka.
  let first: SmtpSession | undefined;
  const signedIn = async (): Promise<boolean> => (first = await SmtpSession.open(port, login)) !== undefined;
  if (!(await until(signedIn, 15_000, 1_000)) || !first) throw new Error('the SMTP login did not work within 15 s');
  const others = Array.from({ length: connections - 1 }, () => SmtpSession.open(port, login));
  const free = [first, ...(await Promise.all(others))];
  const all = [...free];
  const [, domain = ''] = login.user.split('@');
  return {
    send: async (to, bytes) => {
      const session = free.pop();
      if (!session) throw new Error('more messages at once than sessions');
      const header = `From: bench@${domain}\r\nTo: ${to}\r\nSubject: Bench\r\n\r\n`;
      await session.send(`bench@${domain}`, to, Buffer.from(`${header}${textOf(bytes)}\r\n.\r\n`));
      free.push(session);
    },
    close: () => {
      for (const session of all) session.close();
    },
  };
}
