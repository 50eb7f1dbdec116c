import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { within } from './testing/deadline.js';
import { Wire } from './testing/serving.js';
import { Served } from './testing/served.js';
import { sharedDatabase } from './testing/shared.js';
import type { TestDatabase } from './testing/postgres.js';

// The thread of the views ends by itself, really: the server must not go on without it.

const SUBSCRIBE = { kind: 'subscribe', id: 1, sql: 'SELECT id, title FROM issue', params: [] } as const;

const ACCIDENTS = {
  exits: 'process.exit(7)',
  throws: "throw new Error('canary')",
  rejects: "Promise.reject(new Error('canary'))",
} as const;

/** Environment of a process whose threads meet with an accident at SIGUSR2. */
async function accident(what: keyof typeof ACCIDENTS): Promise<Record<string, string>> {
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-accident-')), 'accident.cjs');
  await writeFile(
    file,
    `const { isMainThread, BroadcastChannel } = require('node:worker_threads');
     const channel = new BroadcastChannel('accident');
     channel.unref();
     if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('now'));
     else channel.onmessage = () => { ${ACCIDENTS[what]}; };`,
  );
  return { NODE_OPTIONS: `--require ${file}` };
}

async function watching(url: string): Promise<Wire> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const wire = new Wire(socket);
  await once(socket, 'open');
  wire.send({ kind: 'hello', versions: [1] });
  wire.send(SUBSCRIBE);
  await wire.move();
  return wire;
}

async function slotsOf(database: TestDatabase): Promise<number> {
  const slots = await database.sql('SELECT 1 FROM pg_replication_slots WHERE database = current_database()');
  return slots.rows.length;
}

test.each(['exits', 'throws', 'rejects'] as const)(
  'start: when it %s, clients are sent elsewhere and the process ends with the error',
  async (what) => {
    const database = await sharedDatabase('CREATE TABLE issue (id int PRIMARY KEY, title text)');
    // A grace that would be noticed: nobody is served without views.
    const environment = { DATABASE_URL: database.url, SLUICE_GRACE_MS: '60000', ...(await accident(what)) };
    const served = await Served.run(['start', '--allow-sql', '--views-thread'], environment);
    const client = await watching(await served.ready());
    served.signal('SIGUSR2');
    const [goaway] = (await client.until(({ kind }) => kind === 'goaway')).slice(-1);
    expect(goaway).toMatchObject({ afterMs: expect.any(Number) as number });
    expect(await client.end()).toMatchObject({ code: 1001 });
    expect(await served.ended()).toBe(1);
    const lines = served.err.split('\n').filter((line) => line.startsWith('{'));
    const logged = lines.map((line) => JSON.parse(line) as { event: string; error?: { code?: string } });
    expect(logged.find(({ event }) => event === 'thread_ended')?.error?.code).toBe('thread_ended');
    expect(served.err).toContain('[thread_ended]');
    expect(served.err).not.toContain('canary');
    await expect.poll(() => slotsOf(database)).toBe(0);
    await database.drop();
  },
);

const APPLICATION = `
  import { createServer } from 'node:http';
  const { createSluice } = await import(process.env.SLUICE);
  const sluice = createSluice({ database: process.env.DATABASE_URL, allowSql: true, viewsThread: true });
  const server = createServer((request, response) => void response.end('the application'));
  sluice.attach(server);
  server.listen(0, '127.0.0.1');
  await sluice.start();
  console.log('ready ' + server.address().port + ' ');
  const error = await sluice.failed;
  console.log('failed ' + error.code + ' ');`;

test('in an application: probes are red, nobody is let in, and the application is told and goes on', async () => {
  const database = await sharedDatabase('CREATE TABLE issue (id int PRIMARY KEY, title text)');
  const script = join(await mkdtemp(join(tmpdir(), 'sluice-application-')), 'application.mjs');
  await writeFile(script, APPLICATION);
  const child = spawn(process.execPath, [script], {
    env: {
      ...process.env,
      ...(await accident('exits')),
      SLUICE: new URL('../dist/index.js', import.meta.url).href,
      DATABASE_URL: database.url,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const word = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(said)?.[1];
      if (found !== undefined) return found;
      await within(() => `${String(pattern)}: ${said}`, Promise.race([once(child.stdout, 'data'), ended]));
      if (child.exitCode !== null) throw new Error(`the application ended: ${said}`);
    }
  };
  const base = `http://127.0.0.1:${await word(/ready (\d+) /)}`;
  expect((await fetch(`${base}/sluice/readyz`)).status).toBe(200);
  const client = await watching(`${base}/sluice`);
  child.kill('SIGUSR2');
  expect(await client.end()).toMatchObject({ code: 1001 });
  expect(await word(/failed (\w+) /)).toBe('thread_ended');
  for (const probe of ['readyz', 'healthz', 'metrics']) {
    const answer = await fetch(`${base}/sluice/${probe}`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'thread_ended' } });
  }
  const refused = await fetch(`${base}/sluice/subscribe`, { method: 'POST', body: '{"sql":"SELECT 1"}' });
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'server_stopping' } }]);
  expect(await (await fetch(base)).text()).toBe('the application');
  child.kill('SIGKILL');
  await ended;
  await database.drop();
});
