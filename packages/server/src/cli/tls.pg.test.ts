// TLS with certificates of the test's own, on a real Postgres that speaks it: what `check` and `start` say, and that both
// connections, for reads and for the stream, are verified.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SluiceConfig } from '../config/config.js';
import { createSluice } from '../sluice.js';
import { giveToPostgres } from '../embedded/embedded-postgres.js';
import { Authority, type Issued } from '../testing/certificates.js';
import { sluice } from '../testing/cli.js';
import { until } from '../testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  withClient,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';

const ours = new Authority('Test Authority');
const others = new Authority('Somebody Else');

let server: TestPostgres;
let database: TestDatabase;
let folder: string;
let caFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  caFile = await put('ca.pem', ours.cert);
  await put('other.pem', others.cert);
  server = await startTestPostgres();
  database = await createTestDatabase(server, 'CREATE TABLE issue (id int PRIMARY KEY)');
  await present(ours.issue({ names: ['127.0.0.1'] }));
});
afterAll(() => server.destroy());

async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** From the next connection on, the server shows this certificate. */
async function present({ cert, key }: Issued): Promise<void> {
  for (const [name, text] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const) {
    await writeFile(join(server.dataDir, name), text, { mode: 0o600 });
    await giveToPostgres(join(server.dataDir, name));
  }
  await withClient(server.url(), async (client) => {
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.query('SELECT pg_reload_conf()');
  });
  const { fingerprint256 } = new X509Certificate(cert);
  await until(async () => (await shown()) === fingerprint256);
}

/** The fingerprint of the certificate that a new connection gets to see; null when there is none. */
async function shown(): Promise<string | null> {
  const client = new pg.Client({ connectionString: server.url(), ssl: { rejectUnauthorized: false } });
  try {
    await client.connect();
  } catch {
    return null;
  }
  const { connection } = client as unknown as { readonly connection: { readonly stream: TLSSocket } };
  const { fingerprint256 } = connection.stream.getPeerCertificate();
  await client.end();
  return fingerprint256;
}

/** The database with more in the query of its URL. */
function url(query: string, base = database.url): string {
  return `${base}?${query}`;
}

interface Told {
  readonly code: string;
  readonly detail?: string;
  readonly remedy: string;
}

async function errors(...flags: string[]): Promise<Told[]> {
  const { out } = await sluice(['check', '--json', ...flags]);
  const { findings } = JSON.parse(out) as { findings: (Told & { severity: string })[] };
  return findings.filter(({ severity }) => severity === 'error');
}

async function startFails(config: SluiceConfig): Promise<unknown> {
  return createSluice({ logLevel: 'silent', ...config })
    .start()
    .then(
      () => 'started',
      (error: unknown) => error,
    );
}

test('verify-full with the authority: every connection is TLS, the one for the stream too', async () => {
  for (const config of [
    { database: url(`sslmode=verify-full&sslrootcert=${caFile}`) },
    { database: { url: database.url, ssl: { caFile } } },
    { database: url(`sslmode=require&sslrootcert=${caFile}`) },
  ]) {
    const made = createSluice({ logLevel: 'silent', ...config });
    await made.start();
    // Those of the one before may not have noticed yet that it has gone.
    const connections = `SELECT s.ssl, a.backend_type = 'walsender' AS stream, count(*)::int
      FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE usename = 'sluice_service' GROUP BY 1, 2 ORDER BY 2`;
    await expect
      .poll(async () => (await database.sql(connections)).rows)
      .toEqual([
        { ssl: true, stream: false, count: expect.any(Number) as number },
        { ssl: true, stream: true, count: 1 },
      ]);
    await made.stop();
  }
  expect(await errors('--database-url', url(`sslmode=verify-full&sslrootcert=${caFile}`))).toEqual([]);
});

test.each([
  [
    'an authority that is not theirs',
    () => `sslmode=verify-full&sslrootcert=${join(folder, 'other.pem')}`,
    /UNABLE_TO_VERIFY/,
  ],
  ['no authority given: the system knows none for it', () => 'sslmode=verify-full', /UNABLE_TO_VERIFY/],
  ['sslmode=require verifies too', () => 'sslmode=require', /UNABLE_TO_VERIFY/],
])('refused: %s', async (_, query, detail) => {
  await refused(url(query()), detail);
});

test('refused: a certificate for another name, one that has expired, one for localhost only', async () => {
  const good = url(`sslmode=verify-full&sslrootcert=${caFile}`);
  for (const [request, detail] of [
    [{ names: ['db.example.org'] }, /ERR_TLS_CERT_ALTNAME_INVALID/],
    [{ names: ['localhost'] }, /ERR_TLS_CERT_ALTNAME_INVALID/],
    [{ names: ['127.0.0.1'], expired: true }, /CERT_HAS_EXPIRED/],
  ] as const) {
    await present(ours.issue(request));
    await refused(good, detail);
  }
  await present(ours.issue({ names: ['127.0.0.1'] }));
});

test('refused: a bundle that is not there', async () => {
  const missing = join(folder, 'missing.pem');
  const flags = ['--database-url', url(`sslmode=verify-full&sslrootcert=${missing}`)];
  expect(await sluice(['check', ...flags])).toMatchObject({
    code: 1,
    err: expect.stringContaining('[database_tls_failed]') as string,
  });
  expect(await sluice(['start', ...flags])).toMatchObject({
    code: 1,
    err: expect.stringContaining('a certificate file cannot be read: ENOENT') as string,
  });
});

test('refused: only the stream is led past the authority, or past TLS where the server demands it', async () => {
  const good = url(`sslmode=verify-full&sslrootcert=${caFile}`);
  const other = url(`sslmode=verify-full&sslrootcert=${join(folder, 'other.pem')}`);
  expect(await errors('--database-url', good, '--replication-url', other)).toEqual([
    expect.objectContaining({ code: 'database_tls_failed' }),
  ]);
  expect(await startFails({ database: good, replication: other })).toMatchObject({
    code: 'database_tls_failed',
  });
});

test('refused: a server without TLS', async () => {
  const plain = await sharedDatabase('CREATE TABLE issue (id int PRIMARY KEY)');
  await refused(url('sslmode=require', plain.url), undefined);
  await plain.drop();
});

async function refused(databaseUrl: string, detail: RegExp | undefined): Promise<void> {
  const [found, ...more] = await errors('--database-url', databaseUrl);
  expect(more).toEqual([]);
  expect(found).toMatchObject({
    code: 'database_tls_failed',
    remedy: expect.stringContaining('sslrootcert') as string,
  });
  if (detail) expect(found?.detail).toMatch(detail);
  expect(await startFails({ database: databaseUrl })).toMatchObject({
    code: 'database_tls_failed',
    hint: found?.remedy,
  });
}
