import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Issued } from './certificates.js';

/** Something that speaks as much of Postgres's protocol as a stream needs, and sends what and when the test says. */
export interface PostgresStub {
  /** What to connect to: a host or a folder, and a port. */
  readonly host: string;
  readonly port: number;
  /** What of the server's end writes, once the stream has been asked for. */
  readonly streaming: Promise<Duplex>;
  stop(): Promise<void>;
}

export interface PostgresStubOptions {
  readonly at: 'tcp' | 'unix';
  /** TLS is spoken when there is a certificate. */
  readonly certificate?: Issued;
}

const QUERY = 0x51; // Q
const SSL_REQUEST = 80_877_103;
const READY = frame('Z', Buffer.from('I'));

export async function startPostgresStub(options: PostgresStubOptions): Promise<PostgresStub> {
  let folder: string | null = null;
  let onStreaming: (socket: Duplex) => void = () => undefined;
  const streaming = new Promise<Duplex>((resolve) => (onStreaming = resolve));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay().on('error', () => undefined));
    if (options.certificate === undefined) return serve(socket, onStreaming);
    socket.once('readable', () => {
      const asked = socket.read(8) as Buffer;
      if (asked.readUInt32BE(4) !== SSL_REQUEST) throw new Error('TLS was not asked for');
      socket.write('S');
      serve(new TLSSocket(socket, { isServer: true, ...options.certificate }), onStreaming);
    });
  });
  if (options.at === 'unix') folder = await mkdtemp(join(tmpdir(), 'sluice-stub-'));
  const port = 5432;
  await new Promise<void>((resolve) => {
    if (folder === null) server.listen(0, '127.0.0.1', resolve);
    else server.listen(join(folder, `.s.PGSQL.${port}`), resolve);
  });
  return {
    host: folder ?? '127.0.0.1',
    port: folder === null ? (server.address() as AddressInfo).port : port,
    streaming,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    },
  };
}

function serve(socket: Duplex, onStreaming: (socket: Duplex) => void): void {
  socket.on('error', () => undefined);
  socket.once('data', () => {
    socket.write(Buffer.concat([frame('R', Buffer.alloc(4)), READY]));
    socket.on('data', (message: Buffer) => {
      if (message[0] !== QUERY) return;
      if (message.toString('latin1', 5).startsWith('START_REPLICATION')) {
        socket.write(frame('W', Buffer.alloc(3)));
        onStreaming(socket);
      } else socket.write(Buffer.concat([frame('C', Buffer.from('SET\0')), READY]));
    });
  });
}

/** A message of the stream. */
export function streamed(payload: Buffer): Buffer {
  const head = Buffer.alloc(25);
  head.write('w');
  return frame('d', Buffer.concat([head, payload]));
}

function frame(type: string, payload: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(4 + payload.length, 1);
  return Buffer.concat([head, payload]);
}
