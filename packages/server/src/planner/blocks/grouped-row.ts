import type { Expression } from '@sluice/core/expression';
import type { Aggregate, Grouping } from '@sluice/core/flow/plan';
import type { Facts } from '../../analysis/facts.js';
import type { Scalar, ScalarOf, Select } from '../../analysis/query-tree.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import { assertOneText } from './one-text.js';
import { NotABlock } from './reasons.js';

/** The row that grouping makes: first its keys, then its aggregates, in the order in which they are met. */
export class GroupedRow {
  readonly isGrouped: boolean;
  readonly #facts: Facts;
  readonly #below: (scalar: Scalar) => Expression;
  readonly #keys: { readonly text: string; readonly scalar: Scalar; readonly expression: Expression }[] = [];
  readonly #aggregates: { readonly text: string; readonly aggregate: Aggregate }[] = [];

  /** @param below makes an expression over the rows that are grouped */
  constructor(select: Select, facts: Facts, below: (scalar: Scalar) => Expression) {
    this.#facts = facts;
    this.#below = below;
    this.isGrouped = select.grouping !== null;
    if (select.grouping?.several === true) throw new NotABlock('grouping_sets');
    for (const { ref } of select.grouping?.keys ?? []) {
      const target = select.targets.find((one) => one.ref === ref);
      if (target !== undefined) this.#key(target.expression);
    }
  }

  /** Keys, aggregates, and columns that depend on a key alone. @param isOwn whether a relation is one of this query */
  atHand(scalar: Scalar, isOwn: (relation: number) => boolean): Expression | undefined {
    const key = this.#keys.findIndex(({ text }) => text === textOf(scalar));
    if (key >= 0) return { op: 'column', column: key };
    if (scalar.kind === 'aggregate')
      return { op: 'column', column: FIRST_AGGREGATE + this.#aggregate(scalar) };
    if (scalar.kind === 'column') {
      if (!isOwn(scalar.relation)) return this.#below(scalar);
      return { op: 'column', column: this.#key(scalar) };
    }
    return undefined;
  }

  /** @param flat translates columns of the rows below @param having over the grouped row */
  finish(flat: (expression: Expression) => Expression, having: readonly Expression[]): Grouping | null {
    if (!this.isGrouped) return null;
    return {
      keys: this.#keys.map(({ expression }) => flat(expression)),
      types: this.#keys.map(({ scalar: { type } }) => valueTypeOf(type.oid, type.collation, this.#facts)),
      aggregates: this.#aggregates.map(({ aggregate }) => ({
        ...aggregate,
        args: aggregate.args.map(flat),
        filter: aggregate.filter === null ? null : flat(aggregate.filter),
      })),
      having: having.map((one) => this.settle(one)),
    };
  }

  /** Aggregates stand behind the keys, of which the number is known at the end. */
  settle(expression: Expression): Expression {
    return settled(expression, this.#keys.length);
  }

  #key(scalar: Scalar): number {
    assertOneText(scalar, this.#facts);
    return this.#keys.push({ text: textOf(scalar), scalar, expression: this.#below(scalar) }) - 1;
  }

  #aggregate(scalar: ScalarOf<'aggregate'>): number {
    const text = textOf(scalar);
    const known = this.#aggregates.findIndex((one) => one.text === text);
    if (known >= 0) return known;
    return this.#aggregates.push({ text, aggregate: this.planned(scalar) }) - 1;
  }

  /** @param below makes an expression over the rows that it is made of */
  planned(scalar: ScalarOf<'aggregate'>, below: (scalar: Scalar) => Expression = this.#below): Aggregate {
    const name = this.#facts.functions.get(scalar.fn)?.name ?? '';
    if (scalar.up > 0 || scalar.ordering !== 'normal' || scalar.order.length > 0)
      throw new NotABlock('aggregate', name);
    const args = scalar.args.map(({ expression }) => expression);
    const fn = scalar.star
      ? 'count_all'
      : (MAINTAINED[`${name}(${args.map(({ type }) => type.oid).join()})`] ?? MAINTAINED[name]);
    if (fn === undefined) throw new NotABlock('aggregate', name);
    const distinct = scalar.distinct.length > 0;
    if (distinct) for (const arg of args) assertOneText(arg, this.#facts);
    const types = args.map(({ type }) => valueTypeOf(type.oid, scalar.collation, this.#facts));
    if ((fn === 'min' || fn === 'max') && !types.every(({ kind }) => ORDERED.has(kind)))
      throw new NotABlock('aggregate', name);
    return {
      fn,
      args: args.map(below),
      types,
      distinct,
      order: [],
      filter: scalar.filter === null ? null : below(scalar.filter),
    };
  }
}

/** By name, or by name and the types of the arguments. */
const MAINTAINED: Readonly<Record<string, string>> = {
  count: 'count',
  'sum(21)': 'sum_int8',
  'sum(23)': 'sum_int8',
  'sum(20)': 'sum_int8',
  min: 'min',
  max: 'max',
  bool_and: 'bool_and',
  every: 'bool_and',
  bool_or: 'bool_or',
};

/** Types of which the least and the greatest are printed in one way only. */
const ORDERED: ReadonlySet<string> = new Set(['int', 'date', 'timestamp', 'timestamptz', 'uuid', 'enum']);

const FIRST_AGGREGATE = 1 << 20;

function settled(expression: Expression, keys: number): Expression {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visit(part)]));
    const column = Number(copy['column']);
    if (copy['op'] !== 'column' || column < FIRST_AGGREGATE) return copy;
    return { ...copy, column: column - FIRST_AGGREGATE + keys };
  };
  return visit(expression) as Expression;
}

function textOf(scalar: Scalar): string {
  return JSON.stringify(scalar);
}
