import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sluice } from '../../testing/cli.js';
import type { TestDatabase } from '../../testing/postgres.js';
import { sharedDatabase } from '../../testing/shared.js';
import type { Finding } from './finding.js';

// A relay that shows what a pooler shows: cancel keys of its own, and no replication. Postgres itself answers.

let database: TestDatabase;
let relay: Server;
let url: string;

beforeAll(async () => {
  database = await sharedDatabase('CREATE TABLE issue (id int PRIMARY KEY)');
  const target = new URL(database.url);
  const port = Number(target.port);
  relay = createServer((client) => serve(client, port));
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const address = relay.address();
  target.port = String(typeof address === 'object' ? address?.port : 0);
  url = target.href;
});
afterAll(async () => {
  relay.close();
  await database.drop();
});

function serve(client: Socket, port: number): void {
  const server = connect(port, '127.0.0.1');
  let asked = false;
  client.on('data', (chunk: Buffer) => {
    if (!asked && chunk.includes('replication\0')) return refuse(client);
    asked = true;
    server.write(chunk);
  });
  server.on('data', (chunk: Buffer) => client.write(withOtherKey(chunk)));
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

/** As PgBouncer words it. */
function refuse(client: Socket): void {
  const fields = 'SFATAL\0C08P01\0Munsupported startup parameter: replication\0\0';
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(fields.length + 4, 1);
  client.end(Buffer.concat([head, Buffer.from(fields)]));
}

/** BackendKeyData is `K`, length 12, process id, secret (more on 18); the handshake comes in one piece here. */
function withOtherKey(chunk: Buffer): Buffer {
  for (let at = chunk.indexOf('K'); at >= 0; at = chunk.indexOf('K', at + 1)) {
    const length = at + 5 <= chunk.length ? chunk.readInt32BE(at + 1) : 0;
    if (length < 12 || length > 264 || chunk[at + 1 + length] !== 'Z'.charCodeAt(0)) continue;
    const changed = Buffer.from(chunk);
    changed.writeInt32BE(2_000_000_000, at + 5);
    return changed;
  }
  return chunk;
}

async function findings(...flags: string[]): Promise<{ code: number; found: Finding[] }> {
  const { code, out } = await sluice(['check', '--json', '--database-url', url, ...flags]);
  return { code, found: (JSON.parse(out) as { findings: Finding[] }).findings };
}

test('a pooler is found, and the stream is asked for a way around it', async () => {
  const { code, found } = await findings();
  expect(code).toBe(1);
  expect(found).toContainEqual(expect.objectContaining({ code: 'pooler_found', severity: 'warning' }));
  expect(found).toContainEqual(
    expect.objectContaining({
      code: 'replication_not_allowed',
      detail: '08P01 a pooler in the way does not carry replication',
      remedy: expect.stringContaining('--replication-url') as string,
    }),
  );
});

test('with a connection of its own for the stream that is fine', async () => {
  const { code, found } = await findings('--replication-url', database.url);
  expect(code).toBe(0);
  expect(found.filter(({ severity }) => severity !== 'note')).toEqual([]);
  expect(found.map((finding) => finding.code)).toContain('pooler_found');
});
