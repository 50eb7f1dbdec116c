import { must } from '../assert.js';
import { mapKey, textOf } from '../map-key.js';
import type { TablePlan } from '../plan.js';
import type { PgText, Row, RowKey } from '../value.js';
import { comparator, type TypeRules } from './compare.js';
import { HeldRow } from './member.js';
import { isPacked, packed, partOf, samePacked, unpacked } from './packed.js';

/**
 * Where the rows that are held of a plan have its columns, each of them at least once:
 *
 *   key       what the row is found by
 *   json      what clients are told, and the only text of most rows
 *   place     the order's, and those of the key if it has several, if rows are in an order at all
 *   decisive  the predicate's; and what is nowhere else
 */
export class RowLayout {
  readonly #plan: TablePlan;
  readonly #decisive: readonly number[];
  readonly #place: readonly number[];

  /** @param predicate the columns that it reads */
  constructor(plan: TablePlan, predicate: ReadonlySet<number>) {
    this.#plan = plan;
    const { key, project, order } = plan;
    const isInKey = (column: number): boolean => key.length === 1 && key[0] === column;
    const ordering = isOrdered(plan) ? [...order.map(({ column }) => column), ...key] : [];
    this.#place = [...new Set(ordering)].filter((column) => !isInKey(column));
    const elsewhere = new Set([...key, ...this.#place]);
    this.#decisive = [...plan.columns.keys()].filter(
      (column) => !elsewhere.has(column) && (predicate.has(column) || !project.includes(column)),
    );
  }

  /** A row that nobody holds yet. */
  row(key: RowKey, values: readonly PgText[]): HeldRow {
    const [decisive, place] = [packed(this.#decisive, values), packed(this.#place, values)];
    return new HeldRow(mapKey(key), this.json(values), decisive, place);
  }

  /** The projected row. */
  json(values: readonly PgText[]): string {
    return JSON.stringify(this.#plan.project.map((column) => values[column] ?? null));
  }

  /** The values of a row of the same key are known, who holds it is as before, and it stands where it stood. */
  isPlacedAs(
    { decisive, place }: HeldRow,
    values: readonly (PgText | undefined)[],
  ): values is readonly PgText[] {
    return (
      isPacked(this.#decisive, decisive, values) && isPacked(this.#place, place, values) && isWhole(values)
    );
  }

  /** Two images of a key. */
  isSame(one: HeldRow, other: HeldRow): boolean {
    return (
      one.json === other.json &&
      samePacked(one.decisive, other.decisive) &&
      samePacked(one.place, other.place)
    );
  }

  valuesOf(row: HeldRow): readonly PgText[] {
    const { columns, key, project } = this.#plan;
    const values: PgText[] = columns.map(() => null);
    const put = (places: readonly number[], from: Row): void =>
      places.forEach((column, at) => (values[column] = from[at] ?? null));
    put(key, key.length === 1 ? [textOf(row.key)] : (JSON.parse(textOf(row.key)) as Row));
    put(project, JSON.parse(row.json) as Row);
    put(this.#decisive, unpacked(this.#decisive, row.decisive));
    put(this.#place, unpacked(this.#place, row.place));
    return values;
  }

  /** The plan's order, then its key: total. */
  order(rules: TypeRules): (left: HeldRow, right: HeldRow) => number {
    const { columns, key, order } = this.#plan;
    const terms = [...order, ...key.map((column) => ({ column, descending: false, nullsFirst: false }))].map(
      ({ column, descending, nullsFirst }) => {
        const { type } = must(columns[column], 'column');
        const at = this.#place.indexOf(column);
        const isWhole = type.kind === 'int' || type.kind === 'numeric';
        return { at, descending, nullsFirst, isWhole, compare: comparator(type, rules) };
      },
    );
    return (left, right) => {
      for (const { at, descending, nullsFirst, isWhole, compare } of terms) {
        const a = at < 0 ? left.key : partOf(left.place, at);
        const b = at < 0 ? right.key : partOf(right.place, at);
        if (a === b) continue;
        if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
        const isCounted = isWhole && typeof a === 'number' && typeof b === 'number';
        const order = isCounted ? a - b : compare(textOf(a), textOf(b));
        if (order !== 0) return descending ? -order : order;
      }
      return 0;
    };
  }
}

/** Rows stand in an order, if only that of their key. */
export function isOrdered({ order, limit, offset }: Pick<TablePlan, 'order' | 'limit' | 'offset'>): boolean {
  return order.length > 0 || limit !== null || offset !== null;
}

export function isWhole(values: readonly (PgText | undefined)[]): values is readonly PgText[] {
  return !values.includes(undefined);
}
