import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { pausable } from './pausable-socket.js';

test('the socket has room for one byte to read, and writes as ever', () => {
  const { stream } = pausable({ host: 'a' });
  const socket = (stream as () => Socket)();
  expect(socket.readableHighWaterMark).toBe(1);
  expect(socket.writableHighWaterMark).toBe(new Socket().writableHighWaterMark);
});

test('TLS stays as it was asked for, with a buffer as small', () => {
  expect(pausable({})).not.toHaveProperty('ssl');
  expect(pausable({ ssl: false }).ssl).toBe(false);
  expect(pausable({ ssl: true }).ssl).toEqual({ highWaterMark: 1 });
  const ssl = Object.defineProperty({ ca: 'x', key: 'secret' }, 'key', { enumerable: false });
  expect(pausable({ ssl }).ssl).toEqual({ ca: 'x', key: 'secret', highWaterMark: 1 });
  expect(ssl).not.toHaveProperty('highWaterMark');
});
