import { createServer, get, request, type Server } from 'node:http';
import { expect, test } from 'vitest';
import { addressOf, attachTo, isLoopback, type Handlers } from './attach.js';

const ours: Handlers = {
  request: (incoming, response) => {
    if (incoming.url !== '/sluice') return false;
    response.end('ours');
    return true;
  },
  upgrade: (incoming, socket) => {
    if (incoming.url !== '/sluice') return false;
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nours');
    return true;
  },
};

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return addressOf(server)?.port ?? 0;
}

function body(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    }).on('error', reject);
  });
}

function upgraded(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const asking = request({
      port,
      path,
      host: '127.0.0.1',
      headers: { connection: 'upgrade', upgrade: 'test' },
    });
    asking.on('upgrade', (_response, socket, head) => {
      let text = head.toString();
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
    });
    asking.on('error', () => resolve('closed'));
    asking.end();
  });
}

test("the application's routes and upgrades go on beside ours, and alone after detaching", async () => {
  const server = createServer((_incoming, response) => response.end('theirs'));
  server.on('upgrade', (_incoming, socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\ntheirs'),
  );
  const port = await listening(server);
  const detach = attachTo(server, ours);
  expect(await Promise.all(['/sluice', '/else'].map((path) => body(port, path)))).toEqual([
    '200 ours',
    '200 theirs',
  ]);
  expect(await Promise.all(['/sluice', '/else'].map((path) => upgraded(port, path)))).toEqual([
    'ours',
    'theirs',
  ]);
  detach();
  expect(await body(port, '/sluice')).toBe('200 theirs');
  expect(await upgraded(port, '/sluice')).toBe('theirs');
  server.close();
});

test('a server without routes of its own answers 404 and closes foreign upgrades', async () => {
  const server = createServer();
  attachTo(server, ours);
  const port = await listening(server);
  expect(await body(port, '/else')).toBe('404 not found\n');
  expect(await upgraded(port, '/else')).toBe('closed');
  expect(await upgraded(port, '/sluice')).toBe('ours');
  server.close();
});

test('what listens later answers what is not ours', async () => {
  const server = createServer();
  attachTo(server, ours);
  const port = await listening(server);
  server.on('upgrade', (incoming, socket) => {
    if (incoming.url === '/sluice') return;
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\ntheirs');
  });
  server.on('request', (incoming, response) => void (incoming.url === '/else' && response.end('theirs')));
  expect(await upgraded(port, '/else')).toBe('theirs');
  expect(await body(port, '/else')).toBe('200 theirs');
  expect(await upgraded(port, '/sluice')).toBe('ours');
  expect(await body(port, '/sluice')).toBe('200 ours');
  server.close();
});

test.each([
  ['127.0.0.1', true],
  ['127.8.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.0.0.1.example', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
