import { piecesOf } from '../../chunks/all.js';
import { chunksOfBlock } from '../../chunks/chunks-of.js';
import { ENTRY_BYTES } from '../../engine/held-bytes.js';
import type { RowEvent } from '../../engine/table-engine.js';
import type { PgText } from '../../value.js';
import type { Need } from '../maintained.js';
import { MergingEngine } from '../merging-engine.js';
import type { Block } from '../plan.js';
import { framed, type Row } from '../row.js';
import { answer, sorted, type Tables } from './nested-loops.js';

/** One write of a random history. */
export interface Write {
  readonly table: number;
  readonly id: number;
  readonly next: readonly PgText[] | null;
  /** The last column is sent although it is the same. */
  readonly sent: boolean;
}

/** Bindings of a plan that are followed through a history, and compared with the specification at every turn. */
export interface Followed {
  readonly tables: number;
  readonly plan: Block;
  readonly bindings: readonly (readonly PgText[])[];
  readonly beginning: readonly Write[];
  readonly history: readonly (readonly Write[])[];
}

export interface Counts {
  compared: number;
  changed: number;
  misses: number;
}

/**
 * Follows a history, comparing the rows that are held and the rows that were told with the specification.
 * @throws AssertionError where they differ
 */
export function follow(
  { tables: count, plan, bindings, beginning, history }: Followed,
  counts: Counts,
): void {
  const tables: Tables = Array.from({ length: count }, () => new Map<string, readonly PgText[]>());
  eventsOf(tables, beginning);
  const engine = new MergingEngine(plan, piecesOf(chunksOfBlock(plan)));
  const members = new Map(bindings.map((binding) => [framed(JSON.stringify(binding)), binding]));
  const visible = (rows: Iterable<readonly PgText[]>): (readonly PgText[])[] =>
    Array.from(rows, (row) => row.slice(0, plan.project.length));
  takeIn(engine, { tables, plan, members });
  const held = new Map<string, Map<string, readonly PgText[]>>();
  for (const writes of history) {
    const before = new Map(
      [...members].map(([key, binding]) => [key, sorted(answer(plan, tables, binding)).join()]),
    );
    for (const [key, binding] of members)
      held.set(key, new Map(Array.from(engine.add(binding).rows(), (row) => [row.key, row.values])));
    const { changes, missed } = engine.apply(eventsOf(tables, writes));
    for (const member of missed) same(member.started, false);
    for (const [key, binding] of members) {
      const member = engine.member(binding);
      if (!member?.started) {
        counts.misses++;
        continue;
      }
      const truth = answer(plan, tables, binding);
      // The rows by the changes that were told, and the rows that are held.
      const own = held.get(key) ?? new Map<string, readonly PgText[]>();
      for (const { old, next } of changes.get(member) ?? []) {
        if (old !== null) same(own.delete(old.key), true);
        if (next !== null) own.set(next.key, next.values);
      }
      same(sorted(visible(own.values())), sorted(truth));
      const shown = visible(member.shown().map(({ values }) => values));
      if (plan.order.length > 0) same(shown, truth);
      same(sorted(visible(Array.from(member.rows(), ({ values }) => values))), sorted(truth));
      counts.compared++;
      if (sorted(truth).join() !== before.get(key)) counts.changed++;
    }
    takeIn(engine, { tables, plan, members });
    for (const [, binding] of members) {
      const rows = visible(Array.from(engine.add(binding).rows(), ({ values }) => values));
      same(sorted(rows), sorted(answer(plan, tables, binding)));
    }
  }
  same(engine.heldBytes >= engine.heldRowCount * ENTRY_BYTES, true);
  for (const binding of members.values()) engine.remove(engine.add(binding));
  same([engine.memberCount, engine.heldRowCount, engine.heldBytes], [0, 0, 0]);
}

/**
 * In an engine of their own, as what is fetched at a snapshot is brought to the present. Of those that wait every other
 * one is taken in anew as well; for the others it is fetched what is missing.
 */
function takeIn(
  engine: MergingEngine,
  {
    tables,
    plan,
    members,
  }: {
    readonly tables: Tables;
    readonly plan: Block;
    readonly members: ReadonlyMap<string, readonly PgText[]>;
  },
): void {
  const waiting = [...engine.members()].filter(({ started }) => !started);
  for (const [at, member] of waiting.entries()) if (at % 2 === 1) engine.remove(member);
  while (waiting.some((member) => engine.has(member) && !member.started)) {
    const missing = new MergingEngine(plan, piecesOf(chunksOfBlock(plan)));
    missing.complement(engine);
    same(engine.isWanting || waiting.some(({ started }) => started), true);
    for (let needs = missing.needs(); needs.length > 0; needs = missing.needs())
      for (const need of needs) missing.fill(need, fetch(need, tables));
    engine.learn(missing);
  }
  const batch = new MergingEngine(plan, piecesOf(chunksOfBlock(plan)));
  const added = [...members.values()]
    .filter((binding) => engine.member(binding) === undefined)
    .map((binding) => batch.add(binding));
  for (let needs = batch.needs(); needs.length > 0; needs = batch.needs())
    for (const need of needs) batch.fill(need, fetch(need, tables));
  for (const member of added) same(batch.start(member), true);
  same(engine.absorb(batch).size, added.length);
}

/** By its name whoever runs tests knows what it is. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

function same(got: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new AssertionError(`got ${left}, wanted ${right}`);
}

/** Makes the writes. @returns what the stream tells of them */
export function eventsOf(tables: Tables, writes: readonly Write[]): Map<number, RowEvent[]> {
  const events = new Map<number, RowEvent[]>();
  for (const { table, id, next, sent } of writes) {
    const rows = tables[table];
    if (!rows) continue;
    const key = String(id);
    const was = rows.has(key);
    if (!was && next === null) continue;
    const before = rows.get(key);
    const values = next === null ? [] : [key, ...next];
    const told = before && !sent && next?.[2] === before[3] ? [...values.slice(0, 3), undefined] : values;
    if (next === null) rows.delete(key);
    else rows.set(key, values);
    const list = events.get(table) ?? [];
    list.push({ oldKey: was ? key : null, newKey: next === null ? null : key, values: told });
    events.set(table, list);
  }
  return events;
}

function fetch(need: Need, tables: Tables): Map<string, Row[]> {
  const { input } = need.engine.block.inputs[need.input] ?? {};
  const rows = new Map<string, Row[]>();
  if (input?.of.kind !== 'table') throw new Error('only tables are fetched');
  for (const [key, given] of need.keys) {
    const found = [...(tables[input.of.table] ?? [])].filter(([, row]) =>
      input.demand.pairs.every(({ column }, at) => row[column] === given[at]),
    );
    rows.set(
      key,
      found.map(([id, values]) => ({ key: id, values })),
    );
  }
  return rows;
}
