import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { writeFrames } from './frames.js';

test('a client hears each message as it is, whatever its length and however many leave together', async () => {
  const turns = [[1, 125, 126, 0, 2_000], [16_384], [16_385], [65_535, 3], [5, 65_536, 1_000_000, 7]].map(
    (lengths) => lengths.map((length) => textOf(length)),
  );
  const server = new WebSocketServer({ port: 0, perMessageDeflate: false });
  const connected = once(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const heard: string[] = [];
  const all = new Promise<void>((resolve) =>
    client.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false);
      if (heard.push(data.toString()) === turns.flat().length) resolve();
    }),
  );
  const [socket, request] = (await connected) as [WebSocket, { socket: import('node:net').Socket }];
  for (const turn of turns)
    writeFrames(
      request.socket,
      turn.map((text) => Buffer.from(text)),
    );
  await all;
  expect(heard).toEqual(turns.flat());
  // What the library writes itself comes behind it.
  socket.close(4001);
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(4001);
  server.close();
});

/** Not of one letter, so that a part that is missing or twice is seen. */
function textOf(length: number): string {
  let text = '';
  for (let n = 0; text.length < length; n++) text += `${n}ä`;
  return text.slice(0, length);
}
