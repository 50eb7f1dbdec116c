import { must } from '../assert.js';
import { comparator, type TypeRules } from '../engine/compare.js';
import type { Compile, Pieces } from './compile.js';
import type { CompiledBlock } from './compiled-block.js';
import { appended } from '../few.js';
import { PgError } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { groupsMaker } from './groups.js';
import type { Block, Windows } from './plan.js';
import type { Stage } from './operators.js';
import { isUnionAll } from './union-all.js';
import { same, type Change } from './row.js';
import { isTallied } from './tallied.js';

/** What a block does with its joined tuples, for one member: each stage takes changes and hands changes on. */
export interface Stages {
  /** The rows that are there without any tuple. */
  begin(): Change[];
  apply(changes: readonly Change[]): Change[];
  /** Keys in order; null for all, in no order. */
  shown(): readonly string[] | null;
  /** Where rows stand that are shown, in their order. Only of a block with an order. */
  placesOf(keys: Iterable<string>): readonly Placed[];
  /** Of a tally, by estimate. */
  readonly heldBytes: number;
}

/** A row by its key, and by that of the row before it; null for the first. */
export interface Placed {
  readonly key: string;
  readonly previous: string | null;
}

export type StageMaker = (params: readonly PgText[]) => Stages;

/** Rows as the query names their columns; what does not differ in these is no change. */
export type Project = (changes: readonly Change[], params: readonly PgText[]) => Change[];

export function projector({ plan, compile }: CompiledBlock): Project {
  const project = plan.project.map(compile);
  const rowOf = (values: readonly PgText[] | null, params: readonly PgText[]): readonly PgText[] | null =>
    values && project.map((one) => one(values, params));
  return (changes, params) => {
    let out: Change[] = [];
    for (const { key, old, next } of changes) {
      const change = { key, old: rowOf(old, params), next: rowOf(next, params) };
      if (change.old === null || change.next === null || !same(change.old, change.next))
        out = appended(out, change);
    }
    return out;
  };
}

/** What does not depend on a member's parameters is made once for all of them. */
export function stageMaker(block: CompiledBlock): StageMaker {
  const { plan, compile } = block;
  const { group, windows } = plan;
  const project = projector(block);
  const makeGroups = group === null ? null : groupsMaker(group, compile, isTallied(plan));
  const makeCounts = countsMaker(plan, compile.pieces);
  const makeFunctions = windows === undefined ? null : functionsMaker(windows, compile);
  const order = orderOf(plan, compile.pieces.types);
  const isAll = plan.order.length === 0 && plan.limit === null && plan.offset === null;
  return (params) =>
    new BlockStages(project, params, {
      groups: makeGroups?.(params) ?? makeCounts?.() ?? null,
      functions: makeFunctions?.(params) ?? null,
      distinct: distinctStage(plan, compile.pieces),
      window: isAll ? null : new Window(plan, order, params),
    });
}

/** Of a set operation of which the rows are counted. */
function countsMaker({ sets, types }: Block, { types: rules, operators }: Pieces): (() => Stage) | null {
  if (sets === undefined || isUnionAll(sets.operation)) return null;
  const make = must(operators.sets, 'a plan names its chunks');
  return () => make(sets.operation, types, rules);
}

function functionsMaker(windows: Windows, compile: Compile): (params: readonly PgText[]) => Stage {
  const make = must(compile.pieces.operators.windows, 'a plan names its chunks');
  return (params) => make(windows, params, compile);
}

function distinctStage(plan: Block, { types, operators }: Pieces): Stage | null {
  if (plan.distinctOn !== undefined)
    return must(operators.distinctOn, 'a plan names its chunks')(plan, plan.distinctOn, types);
  if (!plan.distinct) return null;
  return must(operators.distinct, 'a plan names its chunks')(plan.types, types);
}

interface Parts {
  readonly groups: (Stage & { begin?(): Change[]; readonly heldBytes?: number }) | null;
  readonly functions: Stage | null;
  readonly distinct: Stage | null;
  readonly window: Window | null;
}

class BlockStages implements Stages {
  readonly #project: Project;
  readonly #params: readonly PgText[];
  readonly #groups: Parts['groups'];
  readonly #functions: Stage | null;
  readonly #distinct: Stage | null;
  readonly #window: Window | null;

  constructor(project: Project, params: readonly PgText[], parts: Parts) {
    this.#project = project;
    this.#params = params;
    this.#groups = parts.groups;
    this.#functions = parts.functions;
    this.#distinct = parts.distinct;
    this.#window = parts.window;
  }

  get heldBytes(): number {
    return this.#groups?.heldBytes ?? 0;
  }

  begin(): Change[] {
    return this.#further(this.#groups?.begin?.() ?? []);
  }

  apply(changes: readonly Change[]): Change[] {
    return this.#further(this.#groups?.apply(changes) ?? changes);
  }

  shown(): readonly string[] | null {
    return this.#window?.shown() ?? null;
  }

  placesOf(keys: Iterable<string>): readonly Placed[] {
    return this.#window?.placesOf(keys) ?? [];
  }

  #further(changes: readonly Change[]): Change[] {
    const projected = this.#project(this.#functions?.apply(changes) ?? changes, this.#params);
    const distinct = this.#distinct?.apply(projected) ?? projected;
    return this.#window?.apply(distinct) ?? distinct;
  }
}

interface Ordered {
  readonly key: string;
  readonly values: readonly PgText[];
}

/** The stretch that ORDER BY, OFFSET and LIMIT show. Ties are settled by the rows' keys. */
class Window {
  readonly #rows = new Map<string, Ordered>();
  readonly #order: (left: Ordered, right: Ordered) => number;
  readonly #withTies: boolean;
  readonly #cut: { readonly offset: number; readonly end: number } | null;
  #sorted: Ordered[] = [];

  constructor(plan: Block, order: (left: Ordered, right: Ordered) => number, params: readonly PgText[]) {
    this.#withTies = plan.withTies === true;
    this.#order = order;
    this.#cut = cutOf(plan, params);
  }

  shown(): readonly string[] {
    return this.#slice().map(({ key }) => key);
  }

  placesOf(keys: Iterable<string>): readonly Placed[] {
    const first = this.#cut?.offset ?? 0;
    const places: { readonly at: number; readonly placed: Placed }[] = [];
    for (const key of keys) {
      const at = this.#placeOf(must(this.#rows.get(key), 'a row that is shown is held'));
      const previous = at === first ? null : must(this.#sorted[at - 1], 'the row before').key;
      places.push({ at, placed: { key, previous } });
    }
    return places.toSorted((left, right) => left.at - right.at).map(({ placed }) => placed);
  }

  apply(changes: readonly Change[]): Change[] {
    const before = this.#cut && new Map(this.#slice().map((row) => [row.key, row.values]));
    for (const { key } of changes) this.#take(key);
    for (const { key, next } of changes) if (next !== null) this.#insert({ key, values: next });
    return before === null ? [...changes] : difference(before, this.#slice());
  }

  #take(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#sorted.splice(this.#placeOf(row), 1);
  }

  #insert(row: Ordered): void {
    this.#rows.set(row.key, row);
    this.#sorted.splice(this.#placeOf(row), 0, row);
  }

  #placeOf(row: Ordered): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(must(this.#sorted[middle], 'row'), row)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isBefore(left: Ordered, right: Ordered): boolean {
    const order = this.#order(left, right);
    return order === 0 ? left.key < right.key : order < 0;
  }

  #slice(): readonly Ordered[] {
    if (this.#cut === null) return this.#sorted;
    const { offset, end } = this.#cut;
    const last = end > offset ? this.#sorted[end - 1] : undefined;
    if (!this.#withTies || last === undefined) return this.#sorted.slice(offset, end);
    let after = end;
    for (let row = this.#sorted[after]; row !== undefined; row = this.#sorted[++after])
      if (this.#order(last, row) !== 0) break;
    return this.#sorted.slice(offset, after);
  }
}

/** How ORDER BY compares rows; 0 for peers. */
function orderOf(plan: Block, rules: TypeRules): (left: Ordered, right: Ordered) => number {
  const terms = plan.order.map((term) => ({
    ...term,
    compare: comparator(must(plan.types[term.column], 'the type of an output column'), rules),
  }));
  return (left, right) => {
    for (const { column, descending, nullsFirst, compare } of terms) {
      const a = left.values[column] ?? null;
      const b = right.values[column] ?? null;
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const order = compare(a, b);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}

/** @param left what was there before; not to be used any more */
function difference(left: Map<string, readonly PgText[]>, after: readonly Ordered[]): Change[] {
  const changes: Change[] = [];
  for (const { key, values } of after) {
    const old = left.get(key) ?? null;
    left.delete(key);
    if (old === null || !same(old, values)) changes.push({ key, old, next: values });
  }
  for (const [key, old] of left) changes.push({ key, old, next: null });
  return changes;
}

/** NULL as LIMIT means none, as OFFSET zero. */
function cutOf(plan: Block, params: readonly PgText[]): { offset: number; end: number } | null {
  if (plan.limit === null && plan.offset === null) return null;
  const number = (param: number | null, absent: number, state: string): number => {
    const text = param === null ? null : (params[param] ?? null);
    if (text?.startsWith('-') === true && Number(text) < 0) throw new PgError(state);
    return text === null ? absent : Number(text);
  };
  const offset = number(plan.offset, 0, '2201X');
  return { offset, end: offset + number(plan.limit, Infinity, '2201W') };
}
