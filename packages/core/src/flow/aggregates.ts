import { must } from '../assert.js';
import { equalityKey } from '../engine/compare.js';
import type { PgText } from '../value.js';
import { foldOf } from './accumulators.js';
import type {
  Accumulator,
  AggregateFactory,
  AggregateState,
  Bind,
  Evaluated,
  Folds,
} from './aggregate-state.js';
import type { Compile, Pieces } from './compile.js';
import type { Aggregate } from './plan.js';

/** @throws NotReproduced for types of which it is not maintained */
export function makeAggregate(
  plan: Aggregate,
  params: readonly PgText[],
  compile: Compile,
): AggregateFactory {
  const bind: Bind = (expression) => {
    const compiled = compile(expression);
    return (tuple) => compiled(tuple, params);
  };
  const filter = plan.filter === null ? null : bind(plan.filter);
  const { operators } = compile.pieces;
  const fold = foldOf(plan.fn, operators.folds);
  const make = fold
    ? foldMaker(fold, plan, bind, compile.pieces)
    : must(operators.lists, 'a plan names its chunks')(plan, bind, compile);
  return filter === null ? make : () => new Filtered(make(), filter);
}

class Filtered implements AggregateState {
  readonly #inner: AggregateState;
  readonly #filter: Evaluated;

  constructor(inner: AggregateState, filter: Evaluated) {
    this.#inner = inner;
    this.#filter = filter;
  }

  get heldBytes(): number | undefined {
    return this.#inner.heldBytes;
  }

  add(key: string, tuple: readonly PgText[], times?: number): void {
    if (this.#filter(tuple) === 't') this.#inner.add(key, tuple, times);
  }

  remove(key: string, tuple: readonly PgText[], times?: number): void {
    if (this.#filter(tuple) === 't') this.#inner.remove(key, tuple, times);
  }

  result(): PgText {
    return this.#inner.result();
  }
}

function foldMaker(
  fold: Folds[string],
  plan: Aggregate,
  bind: Bind,
  { types: rules, operators }: Pieces,
): AggregateFactory {
  const [expression] = plan.args;
  const arg = expression === undefined ? () => '' : bind(expression);
  const [type] = plan.types;
  const distinct = plan.distinct ? equalityKey(must(type, 'DISTINCT has an argument'), rules) : null;
  return () => {
    const inner = fold(type, rules);
    const once = distinct && must(operators.distinctFold, 'a plan names its chunks')(inner, distinct, plan);
    return new Fold(once ?? inner, arg);
  };
}

/** Evaluates the argument, and leaves NULLs out. */
class Fold implements AggregateState {
  readonly #inner: Accumulator;
  readonly #arg: Evaluated;

  constructor(inner: Accumulator, arg: Evaluated) {
    this.#inner = inner;
    this.#arg = arg;
  }

  get heldBytes(): number | undefined {
    return this.#inner.heldBytes;
  }

  add(_key: string, tuple: readonly PgText[], times = 1): void {
    const value = this.#arg(tuple);
    if (value !== null) this.#inner.add(value, times);
  }

  remove(_key: string, tuple: readonly PgText[], times = 1): void {
    const value = this.#arg(tuple);
    if (value !== null) this.#inner.remove(value, times);
  }

  result(): PgText {
    return this.#inner.result();
  }
}
