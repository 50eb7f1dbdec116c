import type { TypeRules } from '@sluice/core/engine/compare';
import { lookAhead } from '@sluice/core/engine/look-ahead';
import { MergingTableEngine } from '@sluice/core/engine/merging-table-engine';
import { fetchCount, windowBounds, type RowEvent } from '@sluice/core/engine/table-engine';
import type { SluiceError } from '@sluice/core/errors';
import { each } from '@sluice/core/few';
import type { Binding, TablePlan } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { Run } from '../source/source.js';
import { Announced } from './announced.js';
import { catchUp, type Fetched } from './catch-up.js';
import { answerError, viewsError } from './errors.js';
import type { Ask, CaughtUp, Gear, GearEffects, Held, Reading, Step } from './gear.js';
import { RowEvents, type ChangesByTable } from './table-changes.js';
import { unsentIn } from './unsent.js';

/** Rows by binding, in the plan's order, in the plan's columns; an error where Postgres raised one. */
export type Hydration = readonly ((readonly PgText[])[] | { readonly error: unknown })[];

export interface TableGearOptions {
  readonly plan: TablePlan;
  /** How the types are compared that need a chunk for it. */
  readonly types: TypeRules;
  readonly rowsPerViewMax: number;
  /** Reads the rows of many bindings in one statement: `[ordinal, …plan columns]`; at most `counts` rows each. */
  hydrate(run: Run, bindings: readonly Binding[], counts: readonly number[]): Promise<Hydration>;
}

const NONE: ReadonlySet<Held> = new Set();

/** One table, in a window of its order. */
export class TableGear implements Gear {
  readonly tables: ReadonlySet<number>;
  readonly #options: TableGearOptions;
  readonly #engine: MergingTableEngine;
  readonly #events: RowEvents;
  /** What the transactions did that are applied next. */
  readonly #coming = new Announced((changes: ChangesByTable) => this.#eventsOf(changes));

  constructor(options: TableGearOptions) {
    this.#options = options;
    this.tables = new Set([options.plan.table]);
    this.#engine = this.#newEngine();
    this.#events = new RowEvents(options.plan);
  }

  #newEngine(): MergingTableEngine {
    return new MergingTableEngine(this.#options.plan, this.#options.types);
  }

  get heldRowCount(): number {
    return this.#engine.heldRowCount;
  }

  get heldBytes(): number {
    return this.#engine.heldBytes;
  }

  get heldTextCount(): number {
    return 0;
  }

  trim(): ReadonlySet<Held> {
    return new Set();
  }

  refusal(binding: Binding): SluiceError | null {
    const bounds = windowBounds(this.#options.plan, binding);
    return bounds !== null && (bounds.limit < 0 || bounds.offset < 0) ? viewsError('limit_negative') : null;
  }

  async fetch<K extends Ask>(run: Run, asks: readonly K[]): Promise<Reading<K>> {
    const counts = asks.map((ask) => this.#count(ask));
    const bindings = asks.map(({ binding }) => binding);
    const hydration = await this.#options.hydrate(run, bindings, counts);
    return { catchUp: (wanted, steps) => this.#catchUp(asks, counts, hydration, new Set(wanted), steps) };
  }

  ahead(transactions: readonly ChangesByTable[]): readonly Held[] {
    return lookAhead(
      this.#engine,
      this.#coming.announce(transactions).map((events) => events ?? []),
    );
  }

  apply(changes: ChangesByTable): GearEffects {
    const events = this.#coming.take(changes);
    if (events === null) return { told: [], missed: left(this.#engine.members()), unsent: new Set() };
    const own = changes.get(this.#options.plan.table)?.changes ?? [];
    const unsent = unsentIn(own, events, (key) => this.#engine.find(key) !== undefined);
    const { told, missed } = this.#engine.apply(events);
    return { told, missed: missed === undefined ? NONE : left(each(missed)), unsent };
  }

  /** How many rows to fetch: when as many come, there may be more. */
  #count({ binding, extra }: Ask): number {
    const most = this.#options.rowsPerViewMax + 1;
    const count = fetchCount(windowBounds(this.#options.plan, binding));
    return count === null ? most : Math.min(most, count + extra);
  }

  #eventsOf(changes: ChangesByTable): readonly RowEvent[] | null {
    const own = changes.get(this.#options.plan.table);
    if (own === undefined) return [];
    return own.unknown ? null : this.#events.read(own.changes);
  }

  #catchUp<K extends Ask>(
    asks: readonly K[],
    counts: readonly number[],
    hydration: Hydration,
    wanted: ReadonlySet<K>,
    steps: readonly Step[],
  ): CaughtUp<K> {
    const errors = new Map<K, SluiceError>();
    const fetched = new Map<K, Fetched>();
    for (const [index, ask] of asks.entries()) {
      if (!wanted.has(ask)) continue;
      const rows = hydration[index] ?? [];
      const error = 'error' in rows ? answerError(rows.error) : tooLarge(rows, this.#options.rowsPerViewMax);
      if (error !== null) errors.set(ask, error);
      else if (!('error' in rows))
        fetched.set(ask, { binding: ask.binding, rows, complete: rows.length < (counts[index] ?? 0) });
    }
    const events = steps.map(({ changes }) => this.#eventsOf(changes));
    const { engine, members, overtaken } = catchUp(() => this.#newEngine(), fetched, events);
    this.#engine.absorb(engine);
    return { members, overtaken, errors, unable: new Set() };
  }
}

/** They are members no more. */
function left(members: Iterable<Held>): ReadonlySet<Held> {
  const missed = new Set(members);
  for (const one of missed) one.leave();
  return missed;
}

function tooLarge(rows: readonly unknown[], rowsMax: number): SluiceError | null {
  return rows.length > rowsMax ? viewsError('result_too_large') : null;
}
