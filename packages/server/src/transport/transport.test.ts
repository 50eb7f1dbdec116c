import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { ClientMessage, ServerMessage } from '@sluice/core/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Auth } from '../auth/auth.js';
import { SYSTEM_CLOCK } from '../sessions/clock.js';
import { Resolver } from '../sessions/resolver.js';
import { Sessions } from '../sessions/sessions.js';
import { ScriptedViews } from '../testing/scripted-views.js';
import { Transport } from './transport.js';

let views: ScriptedViews;
let server: Server;
let transport: Transport;
const open: WebSocket[] = [];

beforeEach(async () => {
  views = new ScriptedViews();
  const sessions = new Sessions({
    port: views,
    clock: SYSTEM_CLOCK,
    resolver: new Resolver({ allowSql: true }),
    secret: Buffer.alloc(32, 7),
  });
  const auth = new Auth({ defaultRole: 'sluice_client', timeoutMs: 1000, nowMs: Date.now });
  transport = new Transport({ sessions, auth, clock: SYSTEM_CLOCK, wallMs: Date.now });
  server = createServer((request, response) => {
    if (!transport.handleRequest(request, response)) response.writeHead(404).end();
  });
  server.on('upgrade', (request, socket, head) => {
    if (!transport.handleUpgrade(request, socket, head)) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  await transport.close(0);
  server.close();
});

/** A client of the wire: what it is sent, in order. */
class Wire {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  closed: { code: number; reason: string } | null = null;
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)) as ServerMessage);
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Everything up to and including the first message that satisfies. */
  async until(is: (message: ServerMessage) => boolean): Promise<ServerMessage[]> {
    for (;;) {
      const at = this.received.findIndex(is);
      if (at >= 0) return this.received.splice(0, at + 1);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async end(): Promise<{ code: number; reason: string }> {
    while (this.closed === null) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.closed;
  }
}

async function connect(hello = true): Promise<Wire> {
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sluice/ws`);
  open.push(socket);
  const wire = new Wire(socket);
  await once(socket, 'open');
  if (!hello) return wire;
  wire.send({ kind: 'hello', versions: [1] });
  const [welcome] = await wire.until(() => true);
  expect(welcome).toMatchObject({ kind: 'hello', version: 1 });
  return wire;
}

const isMove = (message: ServerMessage): boolean => message.kind === 'move';

test('hello, subscribe, rows, deltas, move, reach, unsubscribe', async () => {
  const wire = await connect();
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  const [subscribed] = await wire.until(() => true);
  expect(subscribed).toMatchObject({ kind: 'subscribed', id: 1, view: 'a', shape: views.shape });
  views.batch(40, { rows: 'a', at: 10, is: [['k', ['one']]] });
  expect(await wire.until(isMove)).toEqual([
    { kind: 'rows', view: 'a', at: '7.1:0/A', rows: [['k', ['one']]] },
    { kind: 'move', position: '7.1:0/28', current: ['a'] },
  ]);
  views.batch(41, { delta: 'a', from: 10, to: 41, ops: [['put', 'k', ['two']]] });
  expect(await wire.until(isMove)).toEqual([
    { kind: 'delta', view: 'a', from: '7.1:0/A', to: '7.1:0/29', ops: [['put', 'k', ['two']]] },
    { kind: 'move', position: '7.1:0/29' },
  ]);
  wire.send({ kind: 'reach', id: 5, target: '0/30' });
  wire.send({ kind: 'ping', id: 9 });
  expect(await wire.until(() => true)).toEqual([{ kind: 'pong', id: 9 }]);
  views.batch(48);
  expect(await wire.until(isMove)).toEqual([{ kind: 'move', position: '7.1:0/30', reached: [5] }]);
  wire.send({ kind: 'unsubscribe', id: 1 });
  wire.send({ kind: 'ping', id: 10 });
  await wire.until((message) => message.kind === 'pong');
  views.batch(49, { delta: 'a', from: 41, to: 49, ops: [['del', 'k']] });
  wire.send({ kind: 'ping', id: 11 });
  expect(await wire.until(() => true)).toEqual([{ kind: 'pong', id: 11 }]);
});
