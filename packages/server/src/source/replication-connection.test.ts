// How the bytes of a stream are read while the connection naps, and at its end.
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { asLsn } from '@sluice/core/lsn';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Authority } from '../testing/certificates.js';
import { startPostgresStub, streamed, type PostgresStubOptions } from '../testing/postgres-stub.js';
import { until } from '../testing/deadline.js';
import type { Come } from './reading-pace.js';
import { ReplicationConnection } from './replication-connection.js';

const ours = new Authority('Test Authority');
const certificate = ours.issue({ names: ['127.0.0.1'] });
const NAP_MS = 1000;
const MANY = 50;
/** The kernel may hand over in parts what piled up. */
const FEW = 5;
const MESSAGE = Buffer.from('C and some more of a commit');

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
const open: { stop(): Promise<void> | void }[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const thing of open.splice(0).reverse()) await thing.stop();
  vi.useRealTimers();
});

interface Begun {
  /** The length of each message, and `null` where what came together ended. */
  readonly told: (number | null)[];
  /** What the pace was told of each time. */
  readonly come: Come[];
  /** Sends so many messages, each by itself, and gives the reader time to read each by itself. */
  send(count: number, payload?: Buffer): Promise<void>;
  /** Writes this at once, and nothing after it. */
  hangUp(bytes: Buffer): void;
  readonly closed: Promise<Error>;
}

/** A stream from a server that is not Postgres. After the first message the reader naps, and after no other. */
async function begin(options: PostgresStubOptions): Promise<Begun> {
  const server = await startPostgresStub(options);
  open.push(server);
  const { host, port } = server;
  const told: (number | null)[] = [];
  const come: Come[] = [];
  const ssl = options.certificate === undefined ? false : { ca: ours.cert };
  const connection = new ReplicationConnection(
    { host, port, ssl, user: 'a', database: 'a' },
    { now: () => 0 },
    {
      read: (_, read) => {
        if (read.messages === 0) return 0;
        come.push(read);
        return come.length === 1 ? NAP_MS : 0;
      },
    },
  );
  open.push({ stop: () => connection.destroy() });
  await connection.connect();
  await connection.stream(
    { slot: 'a', from: asLsn(0n), publication: 'a' },
    {
      message: (_buffer, start, end) => told.push(end - start),
      keepalive: () => undefined,
      flush: () => void (told.length > 0 && told.push(null)),
      end: () => undefined,
    },
  );
  const socket = await server.streaming;
  return {
    told,
    come,
    closed: connection.closed,
    send: async (count, payload = MESSAGE) => {
      for (let sent = 0; sent < count; sent++) {
        await new Promise((resolve) => socket.write(streamed(payload), resolve));
        for (let turns = 0; turns < 4; turns++) await turn();
      }
    },
    hangUp: (bytes) => void socket.end(bytes),
  };
}

/** How many chunks were read from sockets since. */
function countReads(): () => number {
  const push = vi.spyOn(Socket.prototype, 'push');
  return () => push.mock.calls.length;
}

test.each<[string, PostgresStubOptions]>([
  ['TCP', { at: 'tcp' }],
  ['a unix socket', { at: 'unix' }],
  ['TLS', { at: 'tcp', certificate }],
])('%s: while it naps it reads once at most; what came meanwhile comes together', async (_, options) => {
  const { told, come, send } = await begin(options);
  await send(1);
  await until(() => come.length === 1);
  const reads = countReads();
  await send(MANY);
  expect(reads()).toBeLessThanOrEqual(1);
  expect(told).toEqual([MESSAGE.length, null]);
  vi.advanceTimersByTime(NAP_MS);
  const all = (which: keyof Come): number => come.slice(1).reduce((sum, one) => sum + one[which], 0);
  await until(() => all('messages') === MANY);
  expect([all('commits'), all('bytes')]).toEqual([MANY, MANY * streamed(MESSAGE).length]);
  expect(come.length - 1).toBeLessThanOrEqual(FEW);
  expect(told.filter((length) => length === null).length).toBe(come.length);
  // The records of TLS are decrypted one by one.
  expect(reads()).toBeLessThanOrEqual(options.certificate === undefined ? FEW : MANY);
});

test.each<[string, PostgresStubOptions]>([
  ['TCP', { at: 'tcp' }],
  ['TLS', { at: 'tcp', certificate }],
])('%s: a message of many chunks that began before a nap ends after it', async (_, options) => {
  const { told, come, send } = await begin(options);
  await send(1);
  await until(() => come.length === 1);
  const large = send(1, Buffer.alloc(8_000_000));
  for (let turns = 0; turns < 4; turns++) await turn();
  vi.advanceTimersByTime(NAP_MS);
  await large;
  await until(() => come.length === 2);
  expect(told.filter((length) => length !== null)).toEqual([MESSAGE.length, 8_000_000]);
});

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

test.each<[string, PostgresStubOptions, Buffer]>([
  ['a unix socket: the server hangs up', { at: 'unix' }, Buffer.alloc(0)],
  ['TLS: the server hangs up', { at: 'tcp', certificate }, Buffer.alloc(0)],
  ['Postgres ends the stream', { at: 'tcp' }, COPY_DONE],
])('%s: what came right before is told before the end', async (_, options, goodbye) => {
  const { told, come, send, hangUp, closed } = await begin(options);
  const atEnd = closed.then(() => [...told]);
  await send(1);
  await until(() => come.length === 1);
  hangUp(Buffer.concat([streamed(MESSAGE), goodbye])); // while it naps: the message and the end come together
  for (let turns = 0; turns < 4; turns++) await turn();
  vi.advanceTimersByTime(NAP_MS);
  expect(await atEnd).toEqual([MESSAGE.length, null, MESSAGE.length, null]);
});
