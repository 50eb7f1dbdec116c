import type { Lsn } from '@sluice/core/lsn';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitToken } from './commit-token.js';
import { parseConfig } from './config/schema.js';
import { connectionConfig } from './config/database.js';
import { LocalSourceSide } from './source-side.js';
import { awaitNobody, release } from './testing/absent-standby.js';
import { within } from './testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  withClient,
  type TestDatabase,
  type TestPostgres,
} from './testing/postgres.js';
import type { FromViews, QuerySpec } from './views/port.js';

// With the event trigger, DDL is told at its exact position: no view is said to hold there under what was before.
// The catalog is not polled here, so that nothing else can tell.

let server: TestPostgres;
let database: TestDatabase;
let side: LocalSourceSide;
const heard: FromViews[] = [];
let looked: () => void = () => undefined;
let refs = 0;

beforeAll(async () => {
  server = await startTestPostgres();
  database = await createTestDatabase(
    server,
    `
    CREATE TABLE issue (id int PRIMARY KEY, kind int, estimate int, weight int);
    INSERT INTO issue SELECT i, i % 3, i, i FROM generate_series(1, 9) i;
    CREATE VIEW busy AS SELECT id FROM issue WHERE weight > 4;
    CREATE FUNCTION rate(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT n * 2';
    CREATE TABLE part (id int, region text) PARTITION BY LIST (region);
    CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu');
    CREATE TABLE part_us (id int, region text);
    INSERT INTO part_us VALUES (1, 'us');`,
  );
  await database.publish({ eventTrigger: true });
  const config = parseConfig({ database: database.url });
  side = new LocalSourceSide(
    {
      database: connectionConfig({ url: database.url }),
      replication: connectionConfig({ url: database.url }),
      slot: { mode: 'temporary', name: config.slot.name },
      publication: 'sluice',
      role: config.role,
      visible: false,
      pollMs: 600_000,
      poolMax: 4,
      maxRetainedWalBytes: config.maxRetainedWalBytes,
      limits: config.limits,
    },
    pino({ level: 'silent' }),
    () => undefined,
  );
  side.port.listen((message) => {
    heard.push(message);
    looked();
  });
  await side.start();
});

afterAll(async () => {
  await side.stop();
  await server.destroy();
});

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await within(String(find), new Promise<void>((resolve) => (looked = resolve)));
  }
}

/** Opens a query, and resolves with its view when it shows rows. */
async function open(sql: string): Promise<string> {
  const ref = ++refs;
  const principal = { role: 'sluice_client', claims: {} };
  const spec: QuerySpec = { sql, params: [], principal, adHoc: false };
  side.port.post({ kind: 'open', ref, spec });
  const opened = await until(() =>
    heard.find((message) => (message.kind === 'opened' || message.kind === 'refused') && message.ref === ref),
  );
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened));
  await until(() => lastOf(opened.view)?.kind);
  return opened.view;
}

/** Of a view that was opened once. */
function entriesOf(view: string, message: FromViews): readonly { readonly kind: string }[] {
  if (message.kind !== 'batch') return [];
  const opened = heard.find((one) => one.kind === 'opened' && one.view === view);
  return message.entries.filter(({ place }) => opened?.kind === 'opened' && opened.place === place);
}

function lastOf(view: string): { readonly kind: string } | undefined {
  return heard.flatMap((message) => entriesOf(view, message)).at(-1);
}

/** Runs DDL. @returns the position that it makes. */
async function alter(ddl: string): Promise<Lsn> {
  const token = await withClient(database.adminUrl, async (client) => {
    await client.query('BEGIN');
    const marked = await commitToken(client);
    await client.query(ddl);
    await client.query('COMMIT');
    return marked;
  });
  return until(() => {
    const told = heard.find((message) => message.kind === 'token' && message.token === token);
    return told?.kind === 'token' ? told.lsn : undefined;
  });
}

/** What was last said of the view in the first batch that speaks for the position. */
function saidAt(view: string, lsn: Lsn): string | undefined {
  const at = heard.findIndex((message) => message.kind === 'batch' && message.position >= lsn);
  const before = heard.slice(0, at + 1).flatMap((message) => entriesOf(view, message));
  return before.at(-1)?.kind;
}

test.each([
  ['a column more', 'SELECT * FROM issue', 'ALTER TABLE issue ADD COLUMN more int DEFAULT 7'],
  [
    'values rewritten',
    'SELECT id, estimate FROM issue',
    'ALTER TABLE issue ALTER estimate TYPE int USING estimate + 1',
  ],
  [
    'values rewritten, where it is run again',
    'SELECT sum(kind) FROM issue',
    'ALTER TABLE issue ALTER kind TYPE int USING kind + 1',
  ],
  ['another view', 'SELECT id FROM busy', 'CREATE OR REPLACE VIEW busy AS SELECT id FROM issue WHERE id > 4'],
  [
    'another function',
    'SELECT rate(id) FROM issue',
    `CREATE OR REPLACE FUNCTION rate(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT n * 3'`,
  ],
  [
    'a partition more',
    'SELECT id FROM part',
    `ALTER TABLE part ATTACH PARTITION part_us FOR VALUES IN ('us')`,
  ],
])('%s: nothing of before is said to hold at the position of the DDL', async (_, sql, ddl) => {
  const view = await open(sql);
  const lsn = await alter(ddl);
  expect(['gap', 'ended']).toContain(saidAt(view, lsn));
  // And what follows is there, under a new plan where that is another one.
  const again = await until(() => {
    const last = lastOf(view)?.kind;
    return last === 'gap' ? undefined : last;
  });
  if (again === 'ended') await open(sql);
});

test('DDL that streams before anybody sees it is waited for: the catalog of before is not taken for that of after', async () => {
  const sql = 'SELECT * FROM issue WHERE id < 5';
  const view = await open(sql);
  try {
    await awaitNobody(database);
    const altered = withClient(database.adminUrl, (client) =>
      client.query('ALTER TABLE issue ADD COLUMN unseen int DEFAULT 8'),
    );
    await until(() => (lastOf(view)?.kind === 'gap' ? true : undefined));
    // It is asked again and again whether the change is visible, and until then nothing is said.
    const asked = new Set<string>();
    await expect
      .poll(async () => {
        const { rows } = await database.sql(
          `SELECT query_start::text AS at FROM pg_stat_activity WHERE query = 'SELECT pg_current_snapshot()'`,
        );
        for (const { at } of rows as { at: string }[]) asked.add(at);
        return asked.size;
      })
      .toBeGreaterThan(3);
    expect(lastOf(view)?.kind).toBe('gap');
    await release(database);
    await altered;
    await until(() => (lastOf(view)?.kind === 'ended' ? true : undefined));
    await open(sql);
  } finally {
    await release(database);
  }
});
