import type { Model } from './model.js';
import type { TableModel } from './random-schema.js';
import type { Write } from './random-writes.js';
import { lesser, print } from './sql-tree.js';
import { whole } from './made-query.js';

/** Whether a model still shows what was found. */
export type StillFails = (model: Model) => Promise<boolean>;

export interface ShrinkBounds {
  readonly attemptsMax: number;
  /** Of the clock (`performance.now()`): after it no attempt is begun. */
  readonly endMs: number;
}

/**
 * Makes a failing case as small as it gets, one thing at a time: whatever can go while it still fails, goes. What is no
 * query or no schema any more does not fail, so nothing here needs to know what is valid.
 */
export async function shrink(
  model: Model,
  stillFails: StillFails,
  { attemptsMax, endMs }: ShrinkBounds,
): Promise<Model> {
  let best = model;
  let left = attemptsMax;
  const isOver = (): boolean => left <= 0 || performance.now() >= endMs;
  for (let isLess = true; isLess && !isOver();) {
    isLess = false;
    for (const step of STEPS) {
      for (
        let candidates = step(best), next = candidates.next();
        next.done !== true && !isOver();
        next = candidates.next()
      ) {
        left--;
        if (!(await stillFails(next.value))) continue;
        best = next.value;
        isLess = true;
        candidates = step(best);
      }
    }
  }
  return best;
}

type Step = (model: Model) => Generator<Model>;

const STEPS: readonly Step[] = [
  fewerTransactions,
  fewerBindings,
  lessQuery,
  fewerTables,
  fewerWrites,
  fewerRows,
  fewerColumns,
  plainerTables,
  lessViews,
];

/** Halves, then quarters, then single ones. */
function* chunksOf(length: number): Generator<readonly [from: number, count: number]> {
  for (let count = length; count >= 1; count = Math.floor(count / 2))
    for (let from = 0; from < length; from += count) yield [from, count];
}

function* fewerTransactions(model: Model): Generator<Model> {
  for (const [from, count] of chunksOf(model.transactions.length))
    yield { ...model, transactions: model.transactions.toSpliced(from, count) };
  // What happened before it is looked at need not have happened while it was looked at.
  const [first, ...rest] = model.transactions;
  if (first !== undefined) yield { ...model, rows: [...model.rows, ...first], transactions: rest };
}

function* fewerBindings(model: Model): Generator<Model> {
  if (model.bindings.length > 1)
    for (const binding of model.bindings) yield { ...model, bindings: [binding] };
}

function* lessQuery(model: Model): Generator<Model> {
  const { made } = model;
  const seen = new Set([print(whole(made)).text]);
  const fresh = (next: Model): boolean => {
    const { text } = print(whole(next.made));
    return !seen.has(text) && seen.add(text).has(text);
  };
  if (made.limit !== '') yield { ...model, made: { ...made, limit: '' } };
  if (made.limit === '' && made.order !== '')
    yield { ...model, made: { ...made, order: '', ordering: { kind: 'none' } } };
  for (const body of lesser(made.body)) {
    const next = { ...model, made: { ...made, body } };
    if (fresh(next)) yield next;
  }
  for (const order of made.ordering.kind === 'total' ? lesser(made.order) : []) {
    const next = { ...model, made: { ...made, order } };
    if (fresh(next)) yield next;
  }
  for (const limit of lesser(made.limit)) {
    const next = { ...model, made: { ...made, limit } };
    if (fresh(next)) yield next;
  }
}

function* fewerTables(model: Model): Generator<Model> {
  for (const { name } of model.views)
    yield { ...model, views: model.views.filter((view) => view.name !== name) };
  for (const { name } of model.tables) {
    const others = model.tables.filter((table) => table.name !== name);
    const tables = others.map((table) => ({
      ...table,
      references: table.references.filter((reference) => reference.table !== name),
    }));
    const keep = (write: Write): boolean => write.table !== name;
    yield {
      ...model,
      tables,
      rows: model.rows.filter(keep),
      transactions: model.transactions
        .map((writes) => writes.filter(keep))
        .filter((writes) => writes.length > 0),
    };
  }
}

function* fewerWrites(model: Model): Generator<Model> {
  for (const [at, writes] of model.transactions.entries())
    for (const [from, count] of chunksOf(writes.length)) {
      const less = writes.toSpliced(from, count);
      if (less.length > 0) yield { ...model, transactions: model.transactions.with(at, less) };
    }
  for (const [from, count] of chunksOf(model.rows.length))
    yield { ...model, rows: model.rows.toSpliced(from, count) };
}

function* fewerRows(model: Model): Generator<Model> {
  for (const [at, write] of model.rows.entries())
    for (const less of lessOf(write)) yield { ...model, rows: model.rows.with(at, less) };
  for (const [at, writes] of model.transactions.entries())
    for (const [place, write] of writes.entries())
      for (const less of lessOf(write))
        yield { ...model, transactions: model.transactions.with(at, writes.with(place, less)) };
}

function* lessOf(write: Write): Generator<Write> {
  if (write.kind === 'insert') {
    for (const [from, count] of chunksOf(write.rows.length)) {
      const rows = write.rows.toSpliced(from, count);
      if (rows.length > 0) yield { ...write, rows };
    }
    if (write.upsert !== null) yield { ...write, upsert: null };
  }
  if (write.kind === 'update' && write.set.length > 1)
    for (const at of write.set.keys()) yield { ...write, set: write.set.toSpliced(at, 1) };
  if ((write.kind === 'update' || write.kind === 'delete') && write.where.length > 0)
    yield { ...write, where: [] };
}

function* fewerColumns(model: Model): Generator<Model> {
  for (const table of model.tables) {
    for (const { name } of table.columns) {
      const less: TableModel = {
        ...table,
        columns: table.columns.filter((column) => column.name !== name),
        key: table.key.filter((column) => column !== name),
        references: table.references.filter(({ column }) => column !== name),
      };
      if (less.columns.length === 0 || (table.key.length > 0 && less.key.length === 0)) continue;
      const without = (write: Write): readonly Write[] => withoutColumn(write, table.name, name);
      yield {
        ...model,
        tables: model.tables.map((one) => (one === table ? less : one)),
        rows: model.rows.flatMap(without),
        transactions: model.transactions
          .map((writes) => writes.flatMap(without))
          .filter((writes) => writes.length > 0),
      };
    }
  }
}

function withoutColumn(write: Write, table: string, column: string): readonly Write[] {
  if (write.table !== table) return [write];
  if (write.kind === 'insert') {
    const at = write.columns.indexOf(column);
    if (at < 0) return [write];
    const upsert = write.upsert?.filter((name) => name !== column) ?? null;
    return [
      {
        ...write,
        columns: write.columns.toSpliced(at, 1),
        rows: write.rows.map((row) => row.toSpliced(at, 1)),
        upsert: upsert?.length === 0 ? null : upsert,
      },
    ];
  }
  if (write.kind === 'truncate') return [write];
  const where = write.where.filter((text) => !text.startsWith(`${column} `));
  if (write.kind === 'delete') return [{ ...write, where }];
  const set = write.set.filter(([name, value]) => name !== column && value !== column);
  return set.length === 0 ? [] : [{ ...write, set, where }];
}

function* plainerTables(model: Model): Generator<Model> {
  for (const table of model.tables) {
    const exchanged = (plainer: TableModel): Model => ({
      ...model,
      tables: model.tables.map((one) => (one === table ? plainer : one)),
    });
    if (table.references.length > 0) yield exchanged({ ...table, references: [] });
    if (table.identity !== 'default' && table.key.length > 0)
      yield exchanged({ ...table, identity: 'default' });
    for (const [at, column] of table.columns.entries()) {
      if (column.notNull && !table.key.includes(column.name))
        yield exchanged({ ...table, columns: table.columns.with(at, { ...column, notNull: false }) });
      if (column.collation !== null)
        yield exchanged({ ...table, columns: table.columns.with(at, { ...column, collation: null }) });
    }
  }
}

function* lessViews(model: Model): Generator<Model> {
  for (const [at, view] of model.views.entries())
    for (const query of lesser(view.query))
      yield { ...model, views: model.views.with(at, { ...view, query }) };
}
