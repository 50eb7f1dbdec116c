import type { Expression } from '@sluice/core/expression';
import type { Aggregate, Grouping } from '@sluice/core/flow/plan';
import type { ValueType } from '@sluice/core/plan';
import type { Scalar, ScalarOf, Select } from '../../analysis/query-tree.js';
import { planAggregate, type AggregateContext } from './aggregates.js';
import { renumbered } from './level.js';
import { NotABlock } from './reasons.js';
import { relationsIn } from './scalars.js';
import { toldApart } from './told-apart.js';

interface Key {
  readonly text: string;
  readonly expression: Expression;
  readonly type: ValueType;
}

/** The row that grouping makes: first its keys, then its aggregates, in the order in which they are met. */
export class GroupedRow {
  readonly isGrouped: boolean;
  readonly #context: AggregateContext;
  readonly #keys: Key[] = [];
  /** Keys by the `ref` of their targets. */
  readonly #refs = new Map<number, number>();
  readonly #sets: readonly (readonly number[])[] | null;
  /** Keys that GROUP BY names; others depend on them. */
  readonly #ownKeys: number;
  readonly #aggregates: { readonly text: string; readonly aggregate: Aggregate }[] = [];
  readonly #marks: (readonly number[])[] = [];

  constructor(select: Select, context: AggregateContext) {
    this.#context = context;
    this.isGrouped = select.grouping !== null;
    for (const { ref } of select.grouping?.keys ?? []) {
      const target = select.targets.find((one) => one.ref === ref);
      // Of a constant it depends on the version whether it is NULL where it is not grouped by.
      if (
        target !== undefined &&
        select.grouping?.several === true &&
        relationsIn(target.expression).size === 0
      )
        throw new NotABlock('constant_key');
      if (target !== undefined) this.#refs.set(ref, this.#key(target.expression));
    }
    this.#ownKeys = this.#keys.length;
    this.#sets =
      select.grouping?.several === true ? select.grouping.sets.map((refs) => this.#keysOf(refs)) : null;
  }

  /** Keys, aggregates, and columns that depend on a key alone. @param isOwn whether a relation is one of this query */
  atHand(scalar: Scalar, isOwn: (relation: number) => boolean): Expression | undefined {
    const key = this.#keys.findIndex(({ text }) => text === textOf(scalar));
    if (key >= 0) return { op: 'column', column: key };
    if (scalar.kind === 'aggregate') return this.#aggregate(scalar);
    if (scalar.kind === 'grouping') return this.#mark(scalar);
    if (scalar.kind === 'column') {
      if (!isOwn(scalar.relation)) return this.#context.below(scalar);
      // Of one row for each key: told apart by its text.
      return { op: 'column', column: this.#add(scalar, { kind: 'opaque' }) };
    }
    return undefined;
  }

  /** @param flat translates columns of the rows below @param having over the grouped row */
  finish(flat: (expression: Expression) => Expression, having: readonly Expression[]): Grouping | null {
    if (!this.isGrouped) return null;
    const dependent = this.#keys.map((_, at) => at).slice(this.#ownKeys);
    return {
      keys: this.#keys.map(({ expression }) => flat(expression)),
      types: this.#keys.map(({ type }) => type),
      aggregates: this.#aggregates.map(({ aggregate }) => ({
        ...aggregate,
        args: aggregate.args.map(flat),
        order: aggregate.order.map((one) => ({ ...one, expression: flat(one.expression) })),
        filter: aggregate.filter === null ? null : flat(aggregate.filter),
      })),
      having: having.map((one) => this.settle(one)),
      ...(this.#sets === null ? {} : { sets: this.#sets.map((set) => [...set, ...dependent]) }),
      ...(this.#marks.length === 0 ? {} : { marks: this.#marks }),
    };
  }

  /** Aggregates stand behind the keys, of which the number is known at the end; marks behind those. */
  settle(expression: Expression): Expression {
    const marks = this.#keys.length + this.#aggregates.length;
    return renumbered(expression, (column) => {
      if (column >= FIRST_MARK) return column - FIRST_MARK + marks;
      return column >= FIRST_AGGREGATE ? column - FIRST_AGGREGATE + this.#keys.length : column;
    });
  }

  #keysOf(refs: readonly number[]): readonly number[] {
    return refs.map((ref) => {
      const key = this.#refs.get(ref);
      if (key === undefined) throw new Error('assertion failed: sets are of keys');
      return key;
    });
  }

  #key(scalar: Scalar): number {
    return this.#add(scalar, toldApart(scalar, this.#context.facts));
  }

  #add(scalar: Scalar, type: ValueType): number {
    return this.#keys.push({ text: textOf(scalar), expression: this.#context.below(scalar), type }) - 1;
  }

  #aggregate(scalar: ScalarOf<'aggregate'>): Expression {
    const { parts, result } = planAggregate(scalar, this.#context);
    return result(
      parts.map((aggregate) => {
        const text = JSON.stringify(aggregate);
        const known = this.#aggregates.findIndex((one) => one.text === text);
        const at = known >= 0 ? known : this.#aggregates.push({ text, aggregate }) - 1;
        return { op: 'column', column: FIRST_AGGREGATE + at };
      }),
    );
  }

  #mark({ refs }: ScalarOf<'grouping'>): Expression {
    return { op: 'column', column: FIRST_MARK + this.#marks.push(this.#keysOf(refs)) - 1 };
  }
}

/** While the row is made. */
const FIRST_AGGREGATE = 1 << 20;
const FIRST_MARK = 1 << 21;

function textOf(scalar: Scalar): string {
  return JSON.stringify(scalar);
}
