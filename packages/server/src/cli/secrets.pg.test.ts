import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { until, within } from '../testing/deadline.js';
import { createTestDatabase, startTestPostgres, withClient } from '../testing/postgres.js';
import { Served } from '../testing/served.js';

// Values that must not get out are planted everywhere a value can be, everything is made to fail that can, and
// whatever the process said is searched: log, stdout, errors over HTTP and the socket, metrics, schema, readiness.

const CANARY = 'c4n4ry';
const plant = (where: string): string => `${CANARY}-${where}`;

test.each(['--no-views-thread', '--views-thread'])('no secret gets out (%s)', async (thread) => {
  const server = await startTestPostgres();
  const database = await createTestDatabase(
    server,
    `CREATE TABLE issue (id int PRIMARY KEY, title text); INSERT INTO issue VALUES (1, '${plant('row')}')`,
  );
  await database.sql(`ALTER ROLE sluice_service PASSWORD '${plant('password')}'`);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
  await writeFile(
    join(folder, 'sluice.config.mjs'),
    `export default {
       auth: ({ token }) => {
         if (token === '${plant('thrown')}') throw new Error('bad token ' + token);
         return token === undefined ? { claims: {} } : token === 'good' ? { claims: { sub: '${plant('claim')}' } } : null;
       },
       queries: {
         throws: ({ args }) => { throw new Error('cannot take ' + JSON.stringify(args)); },
         odd: ({ args }) => ({ sql: 'SELECT 1', params: [() => args] }),
       },
     }`,
  );
  const url = database.url.replace('sluice_service@', `sluice_service:${plant('password')}@`);
  const served = await Served.run(
    ['start', '--allow-sql', '--log-level', 'trace', thread],
    { DATABASE_URL: url },
    folder,
  );
  const base = await served.ready();
  const answers: string[] = [];
  const post = async (body: unknown, token?: string): Promise<void> => {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(`${base}/subscribe`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    answers.push(await response.text());
  };
  const secret = plant('parameter');
  await post({ query: 'throws', args: { secret } });
  await post({ query: 'odd', args: { secret } });
  await post({ query: plant('name').replace(CANARY, 'unknown'), args: { secret } });
  await post({ sql: 'SELECT id FROM issue WHERE id = $1', params: [secret] });
  await post({ sql: 'SELECT id FROM issue WHERE title::int = $1', params: ['1'] }, 'good');
  await post(
    { sql: `SELECT id FROM issue WHERE title = $1 AND $2::int = 1`, params: [secret, secret] },
    'good',
  );
  await post({ sql: 'SELECT id FROM issue' }, plant('token'));
  await post({ sql: 'SELECT id FROM issue' }, plant('thrown'));
  answers.push(...(await overSocket(base, secret)));
  await withClient(database.adminUrl, async (client) => {
    await client.query(`INSERT INTO issue VALUES (2, '${plant('row')}')`);
    await client.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active`);
  });
  await served.until(() => served.err.includes('"source_disconnected"'));
  for (const path of ['metrics', 'schema', 'readyz', 'healthz'])
    answers.push(await (await fetch(`${base}/${path}`)).text());
  await served.stop();
  const said = [served.out, served.err, ...answers].join('\n');
  expect(said.split('\n').filter((line) => line.includes(CANARY))).toEqual([]);
  expect(answers.length).toBeGreaterThan(12);
  await database.drop();
  await server.destroy();
});

/** Errors of a view at work: a cast that fails on a row, a token that is refused, garbage. */
async function overSocket(base: string, secret: string): Promise<string[]> {
  const messages: string[] = [];
  /** Resolves when the server closes, or has said what ends it. */
  const say = (lines: readonly unknown[], done: () => boolean): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      const socket = new WebSocket(`${base.replace('http', 'ws')}/ws`);
      socket.on('open', () => {
        for (const line of lines) socket.send(typeof line === 'string' ? line : JSON.stringify(line));
      });
      socket.on('message', (data: Buffer) => {
        messages.push(data.toString());
        if (done()) socket.close();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
    return within(() => `an answer to ${JSON.stringify(lines)}: ${JSON.stringify(messages)}`, closed);
  };
  const hello = { kind: 'hello', versions: [1] };
  const failing = { sql: 'SELECT sum(title::int) FROM issue WHERE title <> $1', params: [secret] };
  // A busy Postgres may be too slow to plan it: that is told otherwise, and asked again.
  await until(async () => {
    const before = messages.length;
    const told = /"errors"|"kind":"error"/;
    await say([hello, { kind: 'subscribe', id: 1, ...failing }], () =>
      told.test(messages.slice(before).join()),
    );
    return messages.some((message) => message.includes('"errors"'));
  });
  await say([{ ...hello, token: plant('token') }], () => false);
  await say([`{"kind": "${secret}`], () => false);
  await say([hello, { kind: secret }], () => false);
  // What came back of what was sent in the last two is the client's own.
  return messages;
}
