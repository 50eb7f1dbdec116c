/**
 * One size of one template for `cost.ts`: a server's source and views in a process of their own, over a database of
 * their own. It does what it is told to by messages.
 */
import type { Principal } from '@sluice/server/views/port';
import { must } from '@sluice/core/assert';
import { CLIENT_ROLE, createTestDatabase } from '@sluice/server/testing/postgres';
import { startViews } from '@sluice/server/testing/views';
import { TEMPLATES, tablesOf, writesOf } from './cost-templates.js';

export interface BedOptions {
  readonly url: string;
  readonly template: string;
  readonly bindings: number;
}

export type ToBed =
  { readonly kind: 'run'; readonly changes: number; readonly touched: number } | { readonly kind: 'stop' };

export type FromBed =
  | {
      readonly kind: 'ready';
      readonly bytesPerBinding: number;
      readonly hydrationMs: number;
      readonly statements: number;
    }
  | { readonly kind: 'ran'; readonly microseconds: number; readonly wallMicroseconds: number }
  | { readonly kind: 'stopped' };

const options = JSON.parse(must(process.argv[2], 'options')) as BedOptions;
const { bindings } = options;
const template = must(TEMPLATES[options.template], 'a template');
const principal: Principal = { role: CLIENT_ROLE, claims: {} };
const database = await createTestDatabase(
  { url: (name, role) => urlOf(name, role) },
  tablesOf(bindings, template.rows),
);
const running = await startViews(database, { viewsMax: bindings });
/** Who was told something in this round, and how many operations: counted when it is over. */
let told: number[] = [];
let operations = 0;
let opened = 0;
let valid = 0;
let position = 0n;
let look: () => void = () => undefined;
running.host.listen((message) => {
  if (message.kind === 'opened') opened++;
  else if (message.kind === 'refused') throw new Error(message.error.message);
  else if (message.kind === 'batch') {
    ({ position } = message);
    for (const entry of message.entries) {
      if (entry.kind === 'rows') valid++;
      else if (entry.kind === 'delta') {
        told.push(entry.place);
        operations += entry.count;
      } else throw new Error(`a view was told ${entry.kind}`);
    }
  }
  look();
});

const before = heapBytes();
const start = performance.now();
for (let n = 0; n < bindings; n++) {
  const spec = { sql: template.sql, params: [String(n)], principal, adHoc: false };
  running.host.post({ kind: 'open', ref: n, spec });
}
await until(() => opened === bindings && valid === bindings);
const hydrationMs = performance.now() - start;
const { incremental } = running.host.status();
if (incremental !== bindings) throw new Error(`${incremental} of ${bindings} views are incremental`);
let done = 0;
process.on('message', (message: ToBed) => void (message.kind === 'stop' ? stop() : run(message)));
tell({
  kind: 'ready',
  bytesPerBinding: (heapBytes() - before) / bindings,
  hydrationMs,
  statements: running.events.filter((event) => event.kind === 'hydrated').length,
});

async function run({
  changes,
  touched,
}: {
  readonly changes: number;
  readonly touched: number;
}): Promise<void> {
  told = [];
  operations = 0;
  const used = process.cpuUsage();
  const startNs = process.hrtime.bigint();
  await database.sql(writesOf(template, { bindings, touched, from: done, changes }));
  await database.sql(`SELECT pg_logical_emit_message(true, 'bench', '')`);
  const { rows } = await database.sql('SELECT pg_current_wal_flush_lsn() - $1::pg_lsn AS lsn', ['0/0']);
  const end = BigInt(String((rows[0] as { lsn: string }).lsn));
  await until(() => position >= end);
  const { user, system } = process.cpuUsage(used);
  const wallMicroseconds = Number(process.hrtime.bigint() - startNs) / 1000 / changes;
  done += changes;
  if (new Set(told).size !== Math.min(touched, changes) || operations !== changes * template.altered)
    throw new Error(`${operations} operations on ${new Set(told).size} views for ${changes} changes`);
  tell({ kind: 'ran', microseconds: (user + system) / changes, wallMicroseconds });
}

async function stop(): Promise<void> {
  await running.stop();
  await database.drop();
  tell({ kind: 'stopped' });
  process.disconnect();
}

function tell(message: FromBed): void {
  process.send?.(message);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => (look = resolve));
}

/** What is in use after a collection, buffers among it. */
function heapBytes(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  void gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function urlOf(name: string = 'postgres', role?: string): string {
  const url = new URL(options.url);
  url.pathname = `/${name}`;
  if (role !== undefined) url.username = role;
  return String(url);
}
