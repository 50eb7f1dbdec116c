import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import type { Compile, Compiled } from './compile.js';
import { equality } from './row.js';
import { placeOf, rowOrder } from './row-order.js';
import { FrameFinder, peersOf, type RangeValues } from './window-frame.js';
import type { WindowPlan } from './plan.js';
import { makeWindowFunction, type Partition, type WindowValues } from './window-values.js';

/** A row in one window: what it is ordered by, and its functions' values. */
export interface WindowRow {
  readonly key: string;
  readonly row: readonly PgText[];
  readonly partition: string;
  readonly order: readonly PgText[];
  readonly range: RangeValues | null;
  /** By function. */
  readonly args: readonly (readonly PgText[])[];
  values: readonly PgText[];
}

/**
 * One window of one member. A partition of which a row changes is computed whole. Rows stand in the order of the
 * window; that of peers is Postgres's own affair, so where a value depends on it only Postgres can tell.
 */
export class WindowPartitions {
  readonly #params: readonly PgText[];
  readonly #partition: readonly ((row: readonly PgText[]) => string)[];
  readonly #order: readonly Compiled[];
  readonly #args: readonly (readonly Compiled[])[];
  readonly #frame: FrameFinder;
  readonly #functions: readonly WindowValues[];
  readonly #compare: (left: readonly PgText[], right: readonly PgText[]) => number;
  readonly #partitions = new Map<string, WindowRow[]>();
  readonly #touched = new Set<string>();

  constructor(plan: WindowPlan, params: readonly PgText[], compile: Compile) {
    const { types: rules } = compile.pieces;
    this.#params = params;
    this.#partition = plan.partition.map(({ expression, type }) => {
      const [value, key] = [compile(expression), equality(type, rules)];
      return (row) => key(value(row, params)) ?? '-';
    });
    this.#order = plan.order.map(({ expression }) => compile(expression));
    this.#args = plan.functions.map((one) => (one.kind === 'function' ? one.args.map(compile) : []));
    this.#frame = new FrameFinder(plan.frame, plan.order, compile);
    this.#functions = plan.functions.map((one) => makeWindowFunction(one, plan, params, compile));
    this.#compare = rowOrder(plan.order, rules);
  }

  add(key: string, row: readonly PgText[]): WindowRow {
    const order = this.#order.map((one) => one(row, this.#params));
    const added: WindowRow = {
      key,
      row,
      order,
      partition: this.#partition.map((of) => of(row)).join(''),
      range: this.#frame.valuesOf(row, order[0] ?? null, this.#params),
      args: this.#args.map((args) => args.map((arg) => arg(row, this.#params))),
      values: [],
    };
    let rows = this.#partitions.get(added.partition);
    if (rows === undefined) this.#partitions.set(added.partition, (rows = []));
    rows.splice(this.#placeOf(rows, added), 0, added);
    this.#touched.add(added.partition);
    return added;
  }

  remove(removed: WindowRow): void {
    const rows = this.#partitions.get(removed.partition) ?? [];
    rows.splice(this.#placeOf(rows, removed), 1);
    if (rows.length === 0) this.#partitions.delete(removed.partition);
    this.#touched.add(removed.partition);
  }

  /** Computes the partitions that were touched. @returns the keys of their rows @throws PgError, NotReproduced */
  settle(): string[] {
    const keys: string[] = [];
    for (const partition of this.#touched) {
      const rows = this.#partitions.get(partition);
      if (rows === undefined) continue;
      this.#compute(rows);
      for (const { key } of rows) keys.push(key);
    }
    this.#touched.clear();
    return keys;
  }

  #compute(rows: readonly WindowRow[]): void {
    const arePeers = (left: number, right: number): boolean =>
      this.#compare(rows[left]?.order ?? [], rows[right]?.order ?? []) === 0;
    const peers = peersOf(rows.length, arePeers);
    const ranges = rows.map(({ range }) => range);
    const partition: Partition = {
      rows,
      peers,
      hasTies: peers.groupStarts.length < rows.length,
      frames: this.#functions.some(({ framed }) => framed)
        ? this.#frame.frames(peers, ranges, this.#params)
        : { starts: [], ends: [] },
    };
    const columns = this.#functions.map((one, at) => {
      if (one.byPlace && partition.hasTies) notReproduced('the order of peers in a window');
      return one.values(partition, at);
    });
    for (const [at, row] of rows.entries()) row.values = columns.map((column) => column[at] ?? null);
  }

  #placeOf(rows: readonly WindowRow[], row: WindowRow): number {
    return placeOf(rows, (other) => {
      const order = this.#compare(other.order, row.order);
      return order < 0 || (order === 0 && other.key < row.key);
    });
  }
}
