import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { CertificateAndKey } from './certificate.ts';

export interface RecordingExchanger {
  port: number;
  /** Every line that it got, in order: commands, and contents as they came. What came over TLS begins with `tls `. */
  lines: string[];
  /** The names that it was asked for by TLS (SNI). */
  names: string[];
  /** What it shows from now on; undefined: it offers no TLS. `chain`: certificates of issuers it sends along, PEM. */
  show(certificate: CertificateAndKey | undefined, ...chain: string[]): void;
  /** What it says to AUTH from now on; it takes any (`235 ok`) before. */
  login: string;
  close(): void;
}

/** A mail exchanger on a loopback address of its own that takes everything, and remembers what was said to it. */
export async function recordingExchanger(address: string, port: number): Promise<RecordingExchanger> {
  let context: ReturnType<typeof createSecureContext> | undefined;
  const lines: string[] = [];
  const names: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.write('220 exchanger\r\n');
    converse(socket, '');
  });

  function converse(socket: Socket, prefix: string): void {
    let rest = '';
    let content = false;
    const read = (chunk: Buffer): void => {
      const parts = (rest + chunk.toString('latin1')).split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(prefix + line);
        if (content && line !== '.') continue;
        content = line === 'DATA';
        if (line === 'STARTTLS' && context) return secure();
        socket.write(answer(line));
      }
    };
    const answer = (line: string): string => {
      if (line.startsWith('EHLO')) {
        return context && prefix === '' ? '250-exchanger\r\n250 STARTTLS\r\n' : '250 exchanger\r\n';
      }
      if (line.startsWith('AUTH')) return `${running.login}\r\n`;
      if (line === 'QUIT') return '221 bye\r\n';
      return content ? '354 go on\r\n' : '250 2.0.0 ok\r\n';
    };
    const secure = (): void => {
      socket.off('data', read);
      socket.write('220 go on\r\n');
      const secured = new TLSSocket(socket, {
        isServer: true,
        ...(context ? { secureContext: context } : {}),
        SNICallback: (name, done) => {
          names.push(name);
          done(null, context);
        },
      });
      secured.on('error', () => socket.destroy());
      converse(secured, 'tls ');
    };
    socket.on('data', read);
  }

  const running: RecordingExchanger = {
    port,
    login: '235 2.7.0 ok',
    lines,
    names,
    show(certificate, ...chain) {
      context =
        certificate && createSecureContext({ key: certificate.key, cert: certificate.certificate + chain.join('') });
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  server.listen(port, address);
  await once(server, 'listening');
  running.port = (server.address() as AddressInfo).port;
  return running;
}
