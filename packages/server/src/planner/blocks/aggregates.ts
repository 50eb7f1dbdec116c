import type { Expression } from '@sluice/core/expression';
import type { Aggregate } from '@sluice/core/flow/plan';
import { isOrdered } from '@sluice/core/expression/ordered';
import type { ValueType } from '@sluice/core/plan';
import { FIRST_USER_OID, orderedType, sortTypeOf } from '../../analysis/comparing.js';
import type { Facts } from '../../analysis/facts.js';
import type { Scalar, ScalarOf, Target } from '../../analysis/query-tree.js';
import { typeOfScalar } from '../../analysis/value-type.js';
import { NotABlock } from './reasons.js';
import { toldApart } from './told-apart.js';

export type AggregateOrder = Aggregate['order'];

/** What an aggregate becomes: those that are maintained, and what is computed of their results. */
export interface PlannedAggregate {
  readonly parts: readonly Aggregate[];
  readonly result: (parts: readonly Expression[]) => Expression;
}

export interface AggregateContext {
  readonly facts: Facts;
  /** An expression over the rows that are aggregated. */
  readonly below: (scalar: Scalar) => Expression;
  /** The order in which the rows come: of a subquery with ORDER BY, which is all that is read. */
  readonly inherited: AggregateOrder;
}

/** @throws NotABlock, NotExpressible with the reason for the re-run gear */
export function planAggregate(scalar: ScalarOf<'aggregate'>, context: AggregateContext): PlannedAggregate {
  const { facts } = context;
  const fact = facts.functions.get(scalar.fn);
  const name = fact?.name ?? '';
  if (scalar.up > 0 || scalar.ordering !== 'normal' || scalar.variadic || scalar.fn >= FIRST_USER_OID)
    throw new NotABlock('aggregate', name);
  return new Planning(name, scalar, context).plan();
}

const INTEGERS: ReadonlySet<number> = new Set([20, 21, 23]);
const NUMERIC = 1700;
const FLOATS: Readonly<Record<number, string>> = { 700: 'float4pl', 701: 'float8pl' };
const BYTEA = 17;
const JSON_TYPE: ValueType = { kind: 'json' };

class Planning {
  readonly #name: string;
  readonly #scalar: ScalarOf<'aggregate'>;
  readonly #context: AggregateContext;
  readonly #targets: readonly Target[];
  readonly #args: readonly Scalar[];

  constructor(name: string, scalar: ScalarOf<'aggregate'>, context: AggregateContext) {
    this.#name = name;
    this.#scalar = scalar;
    this.#context = context;
    this.#targets = scalar.args;
    this.#args = scalar.args.filter(({ junk }) => !junk).map(({ expression }) => expression);
  }

  plan(): PlannedAggregate {
    const oid = this.#args[0]?.type.oid ?? 0;
    switch (this.#name) {
      case 'count':
        return only(this.#fold(this.#scalar.star ? 'count_all' : 'count'));
      case 'sum':
        return only(oid in FLOATS ? this.#floatSum(FLOATS[oid] ?? '') : this.#sum(oid));
      case 'avg': {
        const [sum, count] = [this.#sum(oid), this.#fold('count')];
        return { parts: [sum, count], result: (args) => ({ op: 'call', fn: 'numeric_div', args }) };
      }
      case 'min':
      case 'max':
        return only(this.#extreme(this.#name));
      case 'every':
        return only(this.#fold('bool_and', false));
      case 'bool_and':
      case 'bool_or':
        return only(this.#fold(this.#name, false));
      case 'bit_and':
      case 'bit_or':
      case 'bit_xor':
        if (!INTEGERS.has(oid)) throw this.#refused();
        return only(this.#fold(this.#name, this.#name === 'bit_xor'));
      default:
        return only(this.#list(oid));
    }
  }

  #refused(): NotABlock {
    return new NotABlock('aggregate', this.#name);
  }

  #sum(oid: number): Aggregate {
    if (oid in FLOATS) throw new NotABlock('float_sum');
    if (!INTEGERS.has(oid) && oid !== NUMERIC) throw this.#refused();
    return this.#fold(oid === NUMERIC ? 'sum_numeric' : 'sum_int8');
  }

  #extreme(fn: 'min' | 'max'): Aggregate {
    const [arg] = this.#args;
    const type =
      arg === undefined ? null : orderedType(arg.type.oid, this.#scalar.collation, this.#context.facts);
    if (type === null || !isOrdered(type)) throw this.#refused();
    return { ...this.#fold(fn, false), types: [type] };
  }

  /** One that the order of the values is nothing to. */
  #fold(fn: string, distinct = true): Aggregate {
    const isDistinct = distinct && this.#scalar.distinct.length > 0;
    const types = this.#args.map((arg) => this.#typeOf(arg));
    if (isDistinct) for (const arg of this.#args) toldApart(arg, this.#context.facts);
    return {
      fn,
      args: this.#args.map(this.#context.below),
      types,
      distinct: isDistinct,
      order: [],
      filter: this.#filter(),
    };
  }

  #floatSum(fn: string): Aggregate {
    const order = this.#order();
    if (order.length === 0) throw new NotABlock('float_sum');
    const step: Expression = {
      op: 'call',
      fn,
      args: [
        { op: 'column', column: 0 },
        { op: 'column', column: 1 },
      ],
    };
    return { ...this.#fold('fold'), order, step };
  }

  #list(oid: number): Aggregate {
    const isDistinct = this.#scalar.distinct.length > 0;
    if (isDistinct) for (const arg of this.#args) toldApart(arg, this.#context.facts);
    return {
      ...this.#listing(oid),
      distinct: isDistinct,
      order: this.#order(),
    };
  }

  #listing(oid: number): Aggregate {
    const { below } = this.#context;
    const [first] = this.#args;
    const types = this.#args.map((arg) => this.#typeOf(arg));
    const filter = this.#filter();
    const base = { types, distinct: false, order: [], filter };
    switch (this.#name) {
      case 'array_agg':
        if (types.some(({ kind }) => kind === 'opaque')) throw this.#refused();
        return { ...base, fn: 'array_agg', args: this.#args.map(below) };
      case 'string_agg':
        return {
          ...base,
          fn: oid === BYTEA ? 'bytea_string_agg' : 'string_agg',
          args: this.#args.map(below),
        };
      case 'json_agg':
      case 'jsonb_agg':
        return { ...base, ...this.#json() };
      case 'json_agg_strict':
      case 'jsonb_agg_strict': {
        const present: Expression = { op: 'is_not_null', arg: below(first as Scalar) };
        return {
          ...base,
          ...this.#json(),
          filter: filter === null ? present : { op: 'and', args: [filter, present] },
        };
      }
      case 'json_object_agg':
      case 'jsonb_object_agg':
        if (['array', 'row', 'json', 'jsonb'].includes(types[0]?.kind ?? '')) throw this.#refused();
        return { ...base, ...this.#json(), fn: this.#name };
      default:
        throw this.#refused();
    }
  }

  /** Elements are made JSON first; names of members are JSON, too. */
  #json(): Pick<Aggregate, 'fn' | 'args' | 'types'> {
    const isBinary = this.#name.startsWith('jsonb');
    const types = this.#args.map((arg) => this.#typeOf(arg));
    if (types.some(({ kind }) => kind === 'opaque')) throw this.#refused();
    const isName = (at: number): boolean => at === 0 && types.length > 1;
    const args = this.#args.map((arg, at): Expression => {
      const fn = isBinary && !isName(at) ? 'to_jsonb' : 'to_json';
      return { op: 'call', fn, args: [this.#context.below(arg)], types: types.slice(at, at + 1) };
    });
    const hasLines = !isBinary && (types[0]?.kind === 'array' || types[0]?.kind === 'row');
    return { fn: hasLines ? 'json_agg_lines' : 'json_agg', args, types: types.map(() => JSON_TYPE) };
  }

  /** DISTINCT sorts: by ORDER BY, then by what is left of the arguments. */
  #order(): AggregateOrder {
    const { facts, below, inherited } = this.#context;
    const { order, distinct } = this.#scalar;
    if (order.length === 0 && distinct.length === 0) return inherited;
    const sorted = order.map((key) => {
      const { expression } = this.#target(key.ref);
      const { descending, nullsFirst } = key;
      return term(below(expression), sortTypeOf(key, expression, facts), descending, nullsFirst);
    });
    const rest = distinct.filter(({ ref }) => !order.some((key) => key.ref === ref));
    return [
      ...sorted,
      ...rest.map(({ ref }) => {
        const { expression } = this.#target(ref);
        orderedType(expression.type.oid, expression.type.collation, facts);
        return term(
          below(expression),
          typeOfScalar(expression, expression.type.collation, facts),
          false,
          false,
        );
      }),
    ];
  }

  #target(ref: number): Target {
    const target = this.#targets.find((one) => one.ref === ref);
    if (target === undefined) throw this.#refused();
    return target;
  }

  #typeOf(arg: Scalar): ValueType {
    return typeOfScalar(arg, this.#scalar.collation, this.#context.facts);
  }

  #filter(): Expression | null {
    return this.#scalar.filter === null ? null : this.#context.below(this.#scalar.filter);
  }
}

function term(
  expression: Expression,
  type: ValueType,
  descending: boolean,
  nullsFirst: boolean,
): AggregateOrder[number] {
  return { expression, term: { column: 0, descending, nullsFirst }, type };
}

function only(aggregate: Aggregate): PlannedAggregate {
  return { parts: [aggregate], result: ([part]) => part as Expression };
}
