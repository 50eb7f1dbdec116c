/**
 * What one change costs in the engine of blocks as bindings grow (P7): each change alters exactly one binding's result.
 *
 *   npm run bench:blocks
 *
 * Method: for each query and number of bindings an engine is filled as a server fills it, by what it asks for; then
 * CHANGES transactions are applied, each of one row, spread over all bindings; the rounds of all sizes are interleaved.
 * Every round's output is checked outside the timed part: one member, one row. Reported: the median over ROUNDS of
 * microseconds of processor time per change (all threads of the process, the collector's among them), the spread
 * (min–max), the ratio to the smallest size from 100 on, and what a binding holds in memory
 * (the heap after a collection, over the bindings; the rows that the bench itself makes are not kept).
 */
import { must } from '@sluice/core/assert';
import type { RowEvent } from '@sluice/core/engine/table-engine';
import { piecesOf } from '@sluice/core/chunks/all';
import { chunksOfBlock } from '@sluice/core/chunks/chunks-of';
import type { Expression } from '@sluice/core/expression';
import type { Need } from '@sluice/core/flow/maintained';
import { FlowEngine } from '@sluice/core/flow/flow-engine';
import type { Block, Input } from '@sluice/core/flow/plan';
import type { Row } from '@sluice/core/flow/row';
import type { PgText } from '@sluice/core/value';

const SIZES = (process.argv[2] ?? '1,100,10000,100000').split(',').map(Number);
const ISSUES = 5;
const CHANGES = 10_000;
const ROUNDS = 5;

const INT = { kind: 'int' } as const;
const TEXT = { kind: 'text', ordered: true } as const;
const COLUMNS = {
  project: ['id', 'name'],
  issue: ['id', 'project_id', 'assignee_id', 'status', 'rank', 'title'],
  person: ['id', 'name'],
  comment: ['id', 'issue_id'],
} as const;
type Table = keyof typeof COLUMNS;
const TABLES = Object.keys(COLUMNS) as Table[];
const column = (at: number): Expression => ({ op: 'column', column: at });

function input(table: Table, offset: number, demand: Input['demand'], join: Input['join'] = 'inner'): Input {
  const columns = COLUMNS[table].map((name) => ({ name, type: name === 'title' ? TEXT : INT }));
  const width = columns.length + (join === 'exists' ? 1 : 0);
  const of = { kind: 'table', table: TABLES.indexOf(table), columns, key: [0] } as const;
  return { of, join, on: [], offset, width, demand };
}
const hangs = (parent: number | null, own: number, parentColumn: number): Input['demand'] => ({
  parent,
  pairs: [{ column: own, parentColumn, type: INT }],
});
const plain = (inputs: readonly Input[], project: readonly number[]): Block => ({
  inputs,
  where: [],
  group: null,
  project: project.map(column),
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: project.map(() => INT),
});

/** A query for the bindings of `$1`, a project, and a change of one row that alters the answer of one of them. */
interface Query {
  readonly block: Block;
  readonly change: (binding: number, version: number) => { readonly table: Table; readonly event: RowEvent };
}

const issues = input('issue', 0, hangs(null, 1, 0));
const retitled: Query['change'] = (binding, version) => ({
  table: 'issue',
  event: updated(issueRow(binding, 0, '0', `v${version}`)),
});
const counted = { fn: 'count', args: [], types: [], distinct: false, order: [], filter: null } as const;
const QUERIES: Readonly<Record<string, Query>> = {
  filter: { block: plain([issues], [0, 5]), change: retitled },
  'three-way join': {
    block: plain(
      [issues, input('project', 6, hangs(0, 0, 1)), input('person', 8, hangs(0, 0, 2), 'left')],
      [0, 5, 7, 9],
    ),
    change: retitled,
  },
  'top 1': {
    block: {
      ...plain([issues], [0, 5, 4]),
      order: [{ column: 2, descending: false, nullsFirst: false }],
      limit: 1,
    },
    change: retitled,
  },
  'count by group': {
    block: {
      ...plain([issues], [0, 1]),
      group: { keys: [column(3)], types: [INT], aggregates: [counted], having: [] },
    },
    // One leaves the only other group of its project, or comes to it: the first group is told, the other too.
    change: (binding, version) => ({
      table: 'issue',
      event: updated(issueRow(binding, 0, String(version), 'v0')),
    }),
  },
  exists: {
    block: {
      ...plain([issues, input('comment', 6, hangs(0, 1, 0), 'exists')], [0]),
      where: [column(6)],
    },
    change: (binding, version) => ({ table: 'comment', event: commented(binding, version % 2 === 1) }),
  },
};
/** How many rows of its answer a change alters. */
const ALTERED: Readonly<Record<string, number>> = { 'count by group': 2 };

function issueRow(project: number, at: number, status: string, title: string): string[] {
  const id = String(project * ISSUES + at);
  return [id, String(project), String(project), status, String(at), title];
}
const updated = (values: readonly string[]): RowEvent => ({
  oldKey: values[0] ?? '',
  newKey: values[0] ?? '',
  values,
});
function commented(project: number, comes: boolean): RowEvent {
  const issue = String(project * ISSUES);
  return comes
    ? { oldKey: null, newKey: issue, values: [issue, issue] }
    : { oldKey: issue, newKey: null, values: [] };
}

/** The rows of a table that agree with the value that is asked for. */
function stored(table: Table, value: number): readonly (readonly PgText[])[] {
  if (table === 'issue') return Array.from({ length: ISSUES }, (_, at) => issueRow(value, at, '0', 'v0'));
  if (table === 'comment') return [];
  return [[String(value), `n${value}`]];
}

function filled(block: Block, bindings: number): FlowEngine {
  const engine = new FlowEngine(block, piecesOf(chunksOfBlock(block)));
  const members = Array.from({ length: bindings }, (_, at) => engine.add([String(at), '3']));
  for (let needs = engine.needs(); needs.length > 0; needs = engine.needs())
    for (const need of needs) engine.fill(need, answers(need));
  if (!members.every((member) => engine.start(member))) throw new Error('a member did not start');
  return engine;
}

function answers({ engine, input: at, keys }: Need): ReadonlyMap<string, readonly Row[]> {
  const { of } = must(engine.block.inputs[at], 'an input').input;
  if (of.kind !== 'table') throw new Error('only tables are asked for');
  const table = must(TABLES[of.table], 'a table');
  return new Map(
    Array.from(keys, ([key, [value]]) => [
      key,
      stored(table, Number(value)).map((values) => ({ key: values[0] ?? '', values })),
    ]),
  );
}

interface Bed {
  readonly name: string;
  readonly query: Query;
  readonly bindings: number;
  readonly engine: FlowEngine;
  readonly bytes: number;
  readonly microseconds: number[];
}

function heapBytes(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  void gc();
  return process.memoryUsage().heapUsed;
}

/** How often each binding of an engine was changed. */
const turns = new WeakMap<FlowEngine, Map<number, number>>();

/** One query after the other, so that no more than its own sizes are in memory. */
for (const [name, query] of Object.entries(QUERIES)) {
  const beds = SIZES.map((bindings): Bed => {
    const before = heapBytes();
    const engine = filled(query.block, bindings);
    return {
      name,
      query,
      bindings,
      engine,
      bytes: (heapBytes() - before) / bindings,
      microseconds: [],
    };
  });
  for (let round = 0; round < ROUNDS; round++) for (const bed of beds) run(bed);
  report(beds);
}

function run({ name, query, bindings, engine, microseconds }: Bed): void {
  const turned = turns.get(engine) ?? new Map<number, number>();
  turns.set(engine, turned);
  const transactions = Array.from({ length: CHANGES }, (_, n) => {
    const binding = (n * 7919) % bindings;
    const turn = (turned.get(binding) ?? 0) + 1;
    turned.set(binding, turn);
    const { table, event } = query.change(binding, turn);
    return new Map([[TABLES.indexOf(table), [event]]]);
  });
  let altered = 0;
  const start = process.cpuUsage();
  for (const events of transactions) {
    const { changes, missed } = engine.apply(events);
    if (changes.size !== 1 || missed.size > 0)
      throw new Error(`${name}: a change touched ${changes.size} bindings`);
    for (const rows of changes.values()) altered += rows.length;
  }
  const { user, system } = process.cpuUsage(start);
  microseconds.push((user + system) / CHANGES);
  if (altered !== CHANGES * (ALTERED[name] ?? 1))
    throw new Error(`${name}: ${altered} rows altered by ${CHANGES} changes`);
}

function report(beds: readonly Bed[]): void {
  const medianOf = ({ microseconds }: Bed): number =>
    microseconds.toSorted((a, b) => a - b)[microseconds.length >> 1] ?? 0;
  const first = must(beds.find(({ bindings }) => bindings >= 100) ?? beds[0], 'a size');
  console.log(
    `\n${first.name}\n  bindings   µs/change  (min–max)        ratio to ${first.bindings}   bytes/binding`,
  );
  for (const bed of beds) {
    const [min, max] = [Math.min(...bed.microseconds), Math.max(...bed.microseconds)];
    const median = medianOf(bed);
    console.log(
      `${String(bed.bindings).padStart(10)} ${median.toFixed(2).padStart(11)}  (${min.toFixed(2)}–${max.toFixed(2)})`.padEnd(
        42,
      ) + `${(median / medianOf(first)).toFixed(2).padEnd(16)}${Math.round(bed.bytes)}`,
    );
  }
}
