/**
 * N bindings of one template, from the WAL to the views' messages, on a real Postgres.
 *
 *   npm run bench:bindings            (then the engine alone: see engine-bindings.ts)
 *
 * Method: for each N the views are opened together, and the hydration statements counted as Postgres counts them
 * (`pg_stat_statements` is not needed: the server's own event of each statement, checked against the rows it must
 * bring). Then CHANGES single-row updates are committed, each altering the result of exactly one binding (checked:
 * that many deltas of one operation each), and the processor time of this process is measured until the last delta
 * is out. The raw limit in the same run is a source alone, without any view, following the same changes. Rounds of
 * all sizes are interleaved. Reported: medians over ROUNDS, spread, and the ratio to 10 bindings.
 */
import { Database } from '@sluice/server/source/database';
import { PostgresSource } from '@sluice/server/source/postgres-source';
import { createTestDatabase, startTestPostgres, type TestDatabase } from '@sluice/server/testing/postgres';
import { startViews, type RunningViews } from '@sluice/server/testing/views';

const SIZES = [0, 10, 100, 1_000, 10_000];
const ROWS = 20_000;
const CHANGES = 4_000;
const ROUNDS = 5;
const SQL = 'SELECT id, title FROM item WHERE owner = $1';

interface Bed {
  readonly bindings: number;
  readonly statements: number;
  readonly hydrationMs: number;
  readonly microseconds: number[];
  readonly follow: () => Promise<{ deltas: number; microseconds: number }>;
  readonly stop: () => Promise<void>;
}

const server = await startTestPostgres();
const beds: Bed[] = [];
for (const bindings of SIZES) {
  if (bindings === 0) beds.push(await sourceAlone());
  else beds.push(await views(bindings));
}
for (let round = 0; round < ROUNDS; round++) {
  for (const bed of beds) {
    const { deltas, microseconds } = await bed.follow();
    if (deltas !== (bed.bindings === 0 ? 0 : CHANGES))
      throw new Error(`${deltas} deltas for ${CHANGES} changes`);
    bed.microseconds.push(microseconds / CHANGES);
  }
}
report();
for (const bed of beds) await bed.stop();
await server.destroy();

/** Each size has a database of its own: its changes reach no other's stream. */
function newDatabase(): Promise<TestDatabase> {
  return createTestDatabase(
    server,
    `CREATE TABLE item (id int PRIMARY KEY, owner int NOT NULL, title text NOT NULL);
     CREATE INDEX ON item (owner);
     INSERT INTO item SELECT n, n % 10000, 'title ' || n FROM generate_series(1, ${ROWS}) n;
     ANALYZE item;`,
  );
}

async function views(bindings: number): Promise<Bed> {
  const database = await newDatabase();
  const running = await startViews(database, { viewsMax: bindings });
  const start = performance.now();
  const opened = await Promise.all(
    Array.from({ length: bindings }, (_, n) => running.open(SQL, [String(n)])),
  );
  await Promise.all(opened.map((view) => view.until(() => view.state === 'valid')));
  const hydrationMs = performance.now() - start;
  const rows = opened.reduce((sum, view) => sum + view.rows.length, 0);
  if (rows !== (ROWS / 10_000) * bindings) throw new Error(`${rows} rows hydrated`);
  const total = (): number => opened.reduce((sum, view) => sum + view.operations, 0);
  return {
    bindings,
    statements: running.events.filter((event) => event.kind === 'hydrated').length,
    hydrationMs,
    microseconds: [],
    stop: async () => {
      await running.stop();
      await database.drop();
    },
    follow: async () => {
      const before = total();
      const microseconds = await measured(database, bindings, (lsn) => passed(running, lsn));
      return { deltas: total() - before, microseconds };
    },
  };
}

/** Resolves when the views have been told everything up to the LSN, and their messages are out. */
async function passed(running: RunningViews, lsn: bigint): Promise<void> {
  await running.until((position) => position >= lsn);
}

async function sourceAlone(): Promise<Bed> {
  const database = await newDatabase();
  const db = new Database({ connection: database.url });
  const source = new PostgresSource({ database: db, replication: database.url });
  let position = 0n;
  let wake: () => void = () => undefined;
  const at = (lsn: bigint): void => {
    position = lsn;
    wake();
  };
  await source.start({
    coming: () => undefined,
    transaction: (one) => at(one.lsn),
    progress: at,
    restart: (_, lsn) => at(lsn),
    backlog: () => undefined,
  });
  return {
    bindings: 0,
    statements: 0,
    hydrationMs: 0,
    microseconds: [],
    stop: async () => {
      await source.stop();
      await db.end();
      await database.drop();
    },
    follow: async () => {
      const until = async (lsn: bigint): Promise<void> => {
        while (position < lsn) await new Promise<void>((resolve) => (wake = resolve));
      };
      return { deltas: 0, microseconds: await measured(database, 10, until) };
    },
  };
}

/** Processor time of this process while the changes arrive; they are written by Postgres itself, in one call. */
async function measured(
  database: TestDatabase,
  bindings: number,
  until: (lsn: bigint) => Promise<void>,
): Promise<number> {
  const before = process.cpuUsage();
  await write(database, bindings);
  const { rows } = await database.sql('SELECT pg_current_wal_flush_lsn() - $1::pg_lsn AS lsn', ['0/0']);
  await until(BigInt(String((rows[0] as { lsn: string }).lsn)));
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

async function write(target: TestDatabase, bindings: number): Promise<void> {
  await target.sql(`DO $$ BEGIN FOR n IN 1..${CHANGES} LOOP
    UPDATE item SET title = 'title ' || random() WHERE id = 10000 + (n * 7919) % ${bindings}; COMMIT; END LOOP; END $$`);
  await target.sql(`SELECT pg_logical_emit_message(true, 'bench', '')`);
}

function report(): void {
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  const ten = median(beds.find((bed) => bed.bindings === 10)?.microseconds ?? []);
  console.log('bindings  hydration statements  hydration ms   CPU µs/change  (min–max)        ratio to 10');
  for (const bed of beds) {
    const { bindings, statements, hydrationMs, microseconds } = bed;
    const m = median(microseconds);
    console.log(
      [
        (bindings === 0 ? 'no views' : String(bindings)).padStart(8),
        String(statements).padStart(21),
        hydrationMs.toFixed(0).padStart(13),
        m.toFixed(1).padStart(15),
        ` (${Math.min(...microseconds).toFixed(1)}–${Math.max(...microseconds).toFixed(1)})`.padEnd(18),
        (m / ten).toFixed(2),
      ].join(' '),
    );
  }
}
