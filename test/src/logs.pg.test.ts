import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@sluice/client';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { Product } from './kit/product.js';

// Canaries in every place that a secret can have, and none in what the server writes, whatever goes wrong.

const CONFIG = `export default {
  auth: ({ token }) => {
    if (token === 'canary-throws') throw new Error('no ' + token);
    return token === undefined || token === 'canary-refused' ? null : { claims: { sub: 'canary-claim' } };
  },
  queries: {
    fails: ({ args }) => { throw new Error('canary-thrown ' + JSON.stringify(args)); },
    named: { sql: 'SELECT id FROM item WHERE name = $1', params: ['name'] },
  },
};`;

test('no token, claim, parameter, row or password is written to the log', async () => {
  const database = await sharedDatabase(
    `CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'canary-row')`,
  );
  const folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
  const [log, config] = [join(folder, 'server.log'), join(folder, 'sluice.config.mjs')];
  await writeFile(config, CONFIG);
  const product = await Product.start({
    databaseUrl: database.url.replace('sluice_service@', 'sluice_service:canary-password@'),
    log,
    args: ['--config', config, '--log-level', 'trace'],
  });
  const url = `http://127.0.0.1:${product.port}`;
  try {
    for (const token of ['canary-throws', 'canary-refused']) {
      const { client } = createClient({ url, token });
      const response = await fetch(`${url}/sluice/subscribe`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"sql": "SELECT 1"}',
      });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toContain('canary');
      client.close();
    }
    const { client } = createClient({ url, token: 'canary-token' });
    const refs = [
      { query: 'fails', args: { name: 'canary-args' } },
      { query: 'named', args: { nome: 'canary-args' } },
      { sql: 'SELECT name::int FROM item', params: [] },
      { sql: 'SELECT id FROM item WHERE id = $1', params: ['canary-param'] },
      { sql: `SELECT 'canary-constant'::int FROM item`, params: [] },
      { sql: `SELECT name ~ ($1 || '(') FROM item`, params: ['canary-param'] },
    ];
    for (const ref of refs) {
      const error: unknown = await client.live(ref).ready.then(
        () => null,
        (failure: unknown) => failure,
      );
      expect([ref, error]).toEqual([ref, expect.any(Error)]);
      expect(JSON.stringify([String(error), error])).not.toContain('canary');
    }
    const fine = await client.live({ query: 'named', args: { name: 'canary-row' } }).ready;
    expect(fine.rows).toEqual([{ id: 1 }]);
    client.close();
    expect((await product.get('/sluice/metrics')).body).not.toContain('canary');
  } finally {
    await product.stop();
    await database.drop();
  }
  const written = await readFile(log, 'utf8');
  expect(written.length).toBeGreaterThan(100);
  for (const line of [
    '"event":"auth_function_failed"',
    '"event":"query_function_failed","query":"fails"',
    '"event":"query_error","code":"query_args_invalid","query":"named"',
  ])
    expect(written).toContain(line);
  expect(written.split('\n').filter((line) => line.includes('canary-'))).toEqual([]);
});
