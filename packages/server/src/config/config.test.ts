import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientConfig } from '../source/connection-config.js';
import type { DatabaseConfig } from './config.js';
import { connectionConfig } from './database.js';
import { configKeys } from './keys.js';
import { loadConfig, type LoadOptions } from './load.js';
import { parseConfig } from './schema.js';

const connectionOf = (database: DatabaseConfig): unknown => clientConfig(connectionConfig(database));

const fails = (input: unknown): unknown => {
  try {
    parseConfig(input);
  } catch (error) {
    return error;
  }
  throw new Error('it was accepted');
};

test('an empty configuration has every default', () => {
  const config = parseConfig({});
  expect(config).toMatchObject({
    publication: 'sluice',
    slot: { mode: 'temporary' },
    host: '127.0.0.1',
    holdMs: 100,
  });
  expect(config.maxRetainedWalBytes).toBe(1024 ** 3);
});

test('a variable that is not set is a key that is not given', () => {
  expect(parseConfig({ database: undefined, replication: undefined }).database).toBeUndefined();
});

test('sizes take units as in postgresql.conf', () => {
  expect(parseConfig({ maxRetainedWalBytes: '64MB' }).maxRetainedWalBytes).toBe(64 * 1024 * 1024);
  expect(fails({ maxRetainedWalBytes: '64mb' })).toMatchObject({ code: 'config_invalid' });
});

test.each([
  [{ quries: {} }, 'config_key_unknown', 'unknown key "quries": did you mean "queries"?'],
  [{ slot: { nmae: 'x' } }, 'config_key_unknown', 'unknown key "nmae" in slot: did you mean "name"?'],
  [{ port: '80' }, 'config_invalid', 'port must be a whole number'],
  [{ port: 70_000 }, 'config_invalid', 'port must be at most 65535'],
  [{ slot: { mode: 'both' } }, 'config_invalid', 'slot.mode must be one of temporary, permanent'],
  [{ auth: 'jwt' }, 'config_invalid', 'auth must be a function'],
  [
    { queries: { a: { text: 'SELECT 1' } } },
    'config_invalid',
    'queries.a must be query(…), { sql, params?, tick? }',
  ],
  [{ pollMs: 0 }, 'config_invalid', 'pollMs must be at least 10'],
  [null, 'config_invalid', 'the configuration must be an object'],
])('%j is refused with %s', (input, code, detail) => {
  expect(fails(input)).toMatchObject({ code, detail: expect.stringContaining(detail) as string });
});

test('no complaint repeats a value', () => {
  const error = fails({ database: { url: 7, password: 9_876_543 }, replication: { canary: 'canary-value' } });
  expect(JSON.stringify(error)).not.toMatch(/9876543|canary-value/);
});

async function load(
  files: Record<string, string>,
  options: Partial<LoadOptions> = {},
): ReturnType<typeof loadConfig> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return loadConfig({ folder, environment: {}, flags: new Map(), ...options });
}

test('flags win over variables, variables over the file, the file over DATABASE_URL', async () => {
  const files = { 'sluice.config.json': '{"port": 1, "holdMs": 1, "database": "postgres://file/x"}' };
  const { config } = await load(files, {
    environment: {
      SLUICE_PORT: '2',
      SLUICE_HOLD_MS: '2',
      DATABASE_URL: 'postgres://environment/x',
      SLUICE_SLOT_MODE: 'permanent',
    },
    flags: new Map([['port', '3']]),
  });
  expect(config).toMatchObject({
    port: 3,
    holdMs: 2,
    database: { url: 'postgres://file/x' },
    slot: { mode: 'permanent' },
  });
});

test.each(['ts', 'mjs'])('a configuration in %s holds functions', async (extension) => {
  const typed = extension === 'ts' ? ': { args: unknown }' : '';
  const { config } = await load({
    [`sluice.config.${extension}`]: `export default { queries: { one: ({ args }${typed}) => ({ sql: 'SELECT 1', params: [args] }) } };`,
  });
  const one = config.queries['one'];
  expect(typeof one === 'function' && (await one({ args: 7, ctx: { role: 'a', claims: {} } }))).toEqual({
    sql: 'SELECT 1',
    params: [7],
  });
});

test('what is wrong with a file is said', async () => {
  await expect(load({}, { file: 'none.json' })).rejects.toMatchObject({ code: 'config_file_missing' });
  await expect(load({ 'sluice.config.json': '{', 'sluice.config.mjs': '' })).rejects.toMatchObject({
    code: 'config_file_ambiguous',
  });
  await expect(load({ 'sluice.config.json': '{' })).rejects.toMatchObject({ code: 'config_file_broken' });
  await expect(load({ 'sluice.config.mjs': 'throw new TypeError("no such thing")' })).rejects.toMatchObject({
    detail: 'sluice.config.mjs: TypeError: no such thing',
  });
});

test('a wrong variable is named as the place to mend', async () => {
  await expect(load({}, { environment: { SLUICE_POOL_MAX: 'many' } })).rejects.toMatchObject({
    detail: 'poolMax (SLUICE_POOL_MAX) must be a whole number',
  });
});

test("Kubernetes' own SLUICE_PORT is no port of ours", async () => {
  const { config } = await load({}, { environment: { SLUICE_PORT: 'tcp://10.0.0.1:80' } });
  expect(config.port).toBe(4400);
});

test('every key has a meaning and a flag of its own', () => {
  const keys = configKeys();
  expect(new Set(keys.map((key) => key.flag)).size).toBe(keys.length);
  expect(keys.filter((key) => key.meaning === '')).toEqual([]);
});

test('a URL is parsed, its parts can be overridden, and its errors hold no part of it', () => {
  const connection = connectionOf({
    url: 'postgres://me:old@db.example:6000/app?sslmode=require',
    password: 'new',
  });
  expect(connection).toMatchObject({
    user: 'me',
    password: 'new',
    host: 'db.example',
    port: 6000,
    database: 'app',
    ssl: {},
  });
  for (const url of ['mysql://me:canary@host/x', 'postgres://me:canary@host:port/x']) {
    expect(() => connectionOf({ url })).toThrowError(/cannot be read/);
    try {
      connectionOf({ url });
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain('canary');
    }
  }
});
