import { expect, test } from 'vitest';
import { sluice } from '../../testing/cli.js';
import {
  CLIENT_ROLE,
  createTestDatabase,
  SERVICE_ROLE,
  startTestPostgres,
  withClient,
} from '../../testing/postgres.js';
import { sharedDatabase } from '../../testing/shared.js';
import { readFacts } from './facts.js';
import type { Finding } from './finding.js';
import { serverFindings } from './server-rules.js';

const TABLES = `
  CREATE TABLE issue (id int PRIMARY KEY, title text);
  CREATE TABLE log (line text);
  CREATE TABLE part (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
  CREATE SCHEMA other;
  CREATE TABLE other."Mixed" (id int PRIMARY KEY);
  CREATE VIEW titles AS SELECT title FROM issue`;

async function findings(
  url: string,
  ...flags: string[]
): Promise<{ code: number; codes: string[]; all: Finding[] }> {
  const { code, out } = await sluice(['check', '--json', '--database-url', url, ...flags]);
  const report = JSON.parse(out) as { findings: Finding[] };
  return {
    code,
    all: report.findings,
    codes: report.findings.filter((finding) => finding.severity !== 'note').map((finding) => finding.code),
  };
}

test('a role with what --print-grants prints passes, and has nothing else', async () => {
  const database = await sharedDatabase(TABLES);
  const { code, codes } = await findings(database.url);
  expect({ code, codes }).toEqual({ code: 0, codes: [] });
  const rights = await withClient(database.url, async (client) => {
    const { rows } = await client.query<Record<string, boolean>>(
      `SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls,
              has_table_privilege('issue', 'INSERT') OR has_table_privilege('issue', 'TRUNCATE') AS writes,
              has_schema_privilege('other', 'CREATE') OR has_database_privilege(current_database(), 'CREATE') AS creates,
              EXISTS (SELECT FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)) AS owns
       FROM pg_roles WHERE rolname = current_user`,
    );
    return rows[0];
  });
  expect(new Set(Object.values(rights ?? {}))).toEqual(new Set([false]));
  await database.drop();
});

test('the printed grants, run by the owner, take a database from nothing to usable', async () => {
  const server = await startTestPostgres();
  try {
    await withClient(server.url(), async (client) => {
      await client.query(`DROP ROLE ${SERVICE_ROLE}, ${CLIENT_ROLE}`);
      await client.query(TABLES);
    });
    const bare = await findings(server.url());
    expect(bare.code).toBe(1);
    expect(bare.codes).toEqual(expect.arrayContaining(['client_role_missing', 'publication_missing']));
    const { out } = await sluice(['check', '--print-grants', '--database-url', server.url()]);
    await withClient(server.url(), (client) => client.query(out));
    const granted = await findings(server.url('postgres', SERVICE_ROLE));
    expect({ code: granted.code, codes: granted.codes }).toEqual({ code: 0, codes: [] });
    await withClient(server.url(), (client) => client.query('CREATE TABLE late (id int PRIMARY KEY)'));
    const late = await findings(server.url('postgres', SERVICE_ROLE));
    expect(late.all.find((finding) => finding.code === 'tables_not_published')?.remedy).toContain(
      'ALTER PUBLICATION sluice ADD TABLE public.late',
    );
    const again = await sluice([
      'check',
      '--print-grants',
      '--event-trigger',
      '--database-url',
      server.url(),
    ]);
    await withClient(server.url(), (client) => client.query(again.out));
    const whole = await findings(server.url('postgres', SERVICE_ROLE));
    expect(whole.codes).toEqual([]);
    expect(whole.all.map((finding) => finding.code)).not.toContain('event_trigger_missing');
  } finally {
    await server.destroy();
  }
});

test('an old minor release: an error where changes are lost, a warning where the stream may stop', async () => {
  const database = await sharedDatabase(TABLES);
  const about = { publication: 'sluice', clientRole: CLIENT_ROLE };
  const facts = await withClient(database.url, (client) => readFacts(client, about));
  const needs = { ...about, slotName: 'sluice', visible: false, connections: 1 };
  const found = (versionNum: number): unknown =>
    serverFindings({ ...facts, versionNum }, needs)
      .filter(({ code }) => code.startsWith('server_'))
      .map(({ severity, code, detail }) => [severity, code, detail]);
  expect(found(170_004)).toEqual([
    ['error', 'server_too_old', '17.4; needed: 14.18, 15.13, 16.9, 17.5, 18.0 or later'],
  ]);
  expect(found(170_005)).toEqual([
    ['warning', 'server_minor_old', '17.5; better: 14.19, 15.14, 16.10, 17.6, 18.0 or later'],
  ]);
  expect(found(170_006)).toEqual([]);
  await database.drop();
});

test('tables that cannot be live are named with their remedies', async () => {
  const database = await sharedDatabase(TABLES);
  await database.sql(`
    ALTER TABLE issue ENABLE ROW LEVEL SECURITY;
    ALTER TABLE log REPLICA IDENTITY DEFAULT;
    CREATE UNLOGGED TABLE scratch (id int);
    CREATE TABLE hidden (id int PRIMARY KEY, secret text);
    ALTER PUBLICATION sluice ADD TABLE hidden;
    ALTER TABLE other."Mixed" REPLICA IDENTITY FULL;
    CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM issue;
    ALTER PUBLICATION sluice DROP TABLE part;
    DO $$ BEGIN
      EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, ${SERVICE_ROLE}', current_database());
    END $$`);
  const { all } = await findings(database.url);
  const byCode = Object.fromEntries(all.map((finding) => [finding.code, finding]));
  expect(byCode).toMatchObject({
    row_security: { severity: 'warning', detail: 'public.issue' },
    identity_missing: {
      detail: 'public.log',
      remedy: expect.stringContaining('REPLICA IDENTITY FULL') as string,
    },
    tables_unlogged: { detail: 'public.scratch' },
    tables_not_readable: { remedy: expect.stringContaining('GRANT SELECT ON public.hidden') as string },
    identity_full: { detail: 'other."Mixed"' },
    tables_not_streamed: { detail: 'public.summary' },
    tables_not_published: { detail: 'public.part' },
    temporary_not_allowed: { remedy: expect.stringContaining('GRANT TEMPORARY ON DATABASE') as string },
  });
  await database.drop();
});

const major = Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18);

// Row filters and column lists came with 15.
test.runIf(major >= 15)('a publication that hides changes is an error', async () => {
  const database = await sharedDatabase(TABLES);
  await database.sql(`
    ALTER PUBLICATION sluice SET (publish = 'insert', publish_via_partition_root = true);
    ALTER PUBLICATION sluice DROP TABLE issue;
    ALTER PUBLICATION sluice ADD TABLE issue (id) WHERE (id > 3)`);
  const { code, all } = await findings(database.url);
  expect(code).toBe(1);
  for (const wrong of ['SET (', 'DROP TABLE']) {
    const remedy =
      all.find((finding) => finding.code === 'publication_partial' && finding.remedy.includes(wrong))
        ?.remedy ?? '';
    await database.sql(remedy.slice(remedy.indexOf('ALTER')));
  }
  expect((await findings(database.url)).codes).toEqual([]);
  await database.drop();
});

test('roles that are too weak or too strong', async () => {
  const database = await sharedDatabase(TABLES);
  const name = `weak_${database.name}`;
  await database.sql(
    `CREATE ROLE ${name} LOGIN; CREATE ROLE ${name}_strong BYPASSRLS; GRANT ${name}_strong TO ${name}`,
  );
  const as = (user: string): string => database.adminUrl.replace('postgres@', `${user}@`);
  const weak = await findings(as(name));
  expect(weak.codes).toEqual(expect.arrayContaining(['replication_not_allowed', 'client_role_not_granted']));
  expect(weak.all.find((finding) => finding.code === 'replication_not_allowed')?.remedy).toContain(
    `ALTER ROLE ${name} REPLICATION`,
  );
  const strong = await findings(as(name), '--role', `${name}_strong`);
  expect(strong.codes).toContain('client_role_too_strong');
  const admin = await findings(database.adminUrl);
  expect(admin.code).toBe(0);
  expect(admin.codes).toEqual(['role_too_strong']);
  await database.drop();
});

test('a left-over slot is found, and removed by drop', async () => {
  const database = await sharedDatabase(TABLES);
  const name = database.name.slice(0, 30);
  await database.sql(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  const flags = ['--slot-name', name];
  expect((await findings(database.url, ...flags)).codes).toEqual(['slot_left_over']);
  const dropped = await sluice(['drop', '--database-url', database.url, ...flags]);
  expect(dropped).toMatchObject({
    code: 0,
    out: `dropped slot ${name}\n`,
    err: expect.stringContaining('kept publication') as string,
  });
  expect((await findings(database.url, ...flags)).codes).toEqual([]);
  await database.drop();
});

test.each([
  ['wal_level_not_logical', { wal_level: 'replica' }],
  ['replication_slots_full', { max_replication_slots: '0' }],
  ['replication_slots_full', { max_wal_senders: '0', max_replication_slots: '0' }],
])('%s', async (code, settings) => {
  const server = await startTestPostgres({ settings });
  try {
    const database = await createTestDatabase(server, TABLES);
    const report = await findings(database.url);
    expect(report.code).toBe(1);
    expect(report.codes).toContain(code);
    await database.drop();
  } finally {
    await server.destroy();
  }
});

test('a wrong password, a missing database, a closed port', async () => {
  const server = await startTestPostgres();
  try {
    await withClient(server.url(), async (client) => {
      await client.query(`CREATE ROLE guarded LOGIN PASSWORD 'right'`);
      await client.query(
        `CREATE TEMP TABLE hba (line text); COPY hba FROM PROGRAM 'cat ${server.dataDir}/pg_hba.conf'`,
      );
      await client.query(
        `COPY (SELECT 'host all guarded all scram-sha-256' UNION ALL SELECT line FROM hba) TO PROGRAM 'cat > ${server.dataDir}/pg_hba.conf'`,
      );
      await client.query('SELECT pg_reload_conf()');
    });
    const url = (password: string): string =>
      server.url('postgres', 'guarded').replace('guarded@', `guarded${password}@`);
    await expect.poll(async () => (await findings(url(':canary'))).codes).toEqual(['database_auth_failed']);
    expect((await findings(url(''))).codes).toEqual(['database_auth_failed']);
    expect((await findings(url(':right'))).codes).not.toContain('database_auth_failed');
    expect((await findings(server.url('nowhere'))).codes).toEqual(['database_unknown']);
    expect((await findings(server.url('postgres', 'nobody_at_all'))).codes).toEqual(['database_auth_failed']);
    expect((await findings(`${server.url()}?sslmode=require`)).codes).toEqual(['database_tls_failed']);
    const said = await sluice(['check', '--database-url', url(':canary')]);
    expect(said.out + said.err).not.toContain('canary');
  } finally {
    await server.destroy();
  }
  expect((await findings(server.url())).codes).toEqual(['database_unreachable']);
});

test('too few connections, and a standby that commits wait for', async () => {
  const server = await startTestPostgres({
    settings: {
      max_connections: '16',
      max_wal_senders: '3',
      max_replication_slots: '2',
      synchronous_standby_names: 'elsewhere',
      synchronous_commit: 'local',
    },
  });
  try {
    const database = await createTestDatabase(server, TABLES);
    // Connections count that have been closed and have not gone yet.
    const codes = async (...flags: string[]): Promise<string[]> =>
      (await findings(database.url, ...flags)).codes;
    await expect.poll(() => codes()).toEqual(['connections_few', 'synchronous_standby']);
    const modest = ['--visible', '--pool-max', '2'];
    await expect.poll(() => codes(...modest)).toEqual([]);
    // synchronized_standby_slots came with 17.
    const noted = (await findings(database.url, ...modest)).all.some(
      (finding) => finding.code === 'synchronous_standby',
    );
    expect(noted).toBe(major >= 17);
    await database.sql(`SELECT pg_create_physical_replication_slot('other')`);
    await expect.poll(() => codes(...modest)).toEqual(['slots_few']);
    await database.drop();
  } finally {
    await server.destroy();
  }
});

test('--plan lists what a start creates', async () => {
  const database = await sharedDatabase(TABLES);
  const { out } = await sluice(['check', '--plan', '--database-url', database.url]);
  expect(out).toBe('replication slot sluice_*: created at start, gone with the process\n');
  await database.drop();
});

test('the wrong command line', async () => {
  expect(await sluice(['check', '--prot', '1'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean --port?') as string,
  });
  expect(await sluice(['chekc'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('[usage_wrong]') as string,
  });
  expect(await sluice(['check'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('[database_not_given]') as string,
  });
  expect(await sluice(['check', '--port', 'x'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('port (--port) must be a whole number') as string,
  });
});
