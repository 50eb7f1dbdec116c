import { comparator, type TypeRules } from '../engine/compare.js';
import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import type { AggregateFactory, AggregateState, Bind } from './aggregate-state.js';
import type { Compile } from './compile.js';
import { listMaker } from './lists.js';
import type { Aggregate } from './plan.js';
import { placeOf } from './row-order.js';
import { equality } from './row.js';

/** An element of a list: what it is ordered by, and the values of the arguments. */
interface Element {
  readonly key: string;
  readonly sort: readonly PgText[];
  readonly args: readonly PgText[];
}

interface Listing {
  readonly evaluate: (key: string, tuple: readonly PgText[]) => Element | null;
  readonly compare: (left: Element, right: Element) => number;
  /** Of equal elements the first stays; null: all do. DISTINCT orders by all arguments. */
  readonly same: ((element: Element) => string) | null;
  readonly print: (elements: readonly (readonly PgText[])[]) => PgText;
}

/** @throws NotReproduced for types of which it is not maintained */
export function listedAggregate(plan: Aggregate, bind: Bind, compile: Compile): AggregateFactory {
  const { types: rules } = compile.pieces;
  const args = plan.args.map(bind);
  const sort = plan.order.map(({ expression }) => bind(expression));
  const { builders, operators } = compile.pieces;
  const options = { types: plan.types, step: stepOf(plan, compile), builders };
  const { skipsNull, print } = listMaker(plan.fn, options, operators.rarerLists);
  const parts = plan.order.map(({ type }) => equality(type, rules));
  const listing: Listing = {
    evaluate: (key, tuple) => {
      const values = args.map((arg) => arg(tuple));
      if (skipsNull && (values[0] ?? null) === null) return null;
      return { key, sort: sort.map((one) => one(tuple)), args: values };
    },
    compare: ordering(plan.order, rules),
    same: plan.distinct
      ? ({ sort: values }) => values.map((value, at) => parts[at]?.(value) ?? '-').join('')
      : null,
    print,
  };
  return () => new List(listing);
}

function stepOf({ step }: Aggregate, compile: Compile): ((state: PgText, value: PgText) => PgText) | null {
  if (step === undefined) return null;
  const compiled = compile(step);
  return (state, value) => compiled([state, value], []);
}

/** Ties are settled by the keys of the tuples, as an order that is left out is. */
function ordering(order: Aggregate['order'], rules: TypeRules): (left: Element, right: Element) => number {
  const terms = order.map(({ term, type }) => ({ ...term, compare: comparator(type, rules) }));
  return (left, right) => {
    for (const [at, { descending, nullsFirst, compare }] of terms.entries()) {
      const a = left.sort[at] ?? null;
      const b = right.sort[at] ?? null;
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const one = compare(a, b);
      if (one !== 0) return descending ? -one : one;
    }
    return left.key < right.key ? -1 : left.key > right.key ? 1 : 0;
  };
}

/** What all values make together, in their order: made anew when one has changed. */
class List implements AggregateState {
  readonly #listing: Listing;
  readonly #elements: Element[] = [];

  constructor(listing: Listing) {
    this.#listing = listing;
  }

  add(key: string, tuple: readonly PgText[]): void {
    const element = this.#listing.evaluate(key, tuple);
    if (element !== null) this.#elements.splice(this.#placeOf(element), 0, element);
  }

  remove(key: string, tuple: readonly PgText[]): void {
    const element = this.#listing.evaluate(key, tuple);
    if (element !== null) this.#elements.splice(this.#placeOf(element), 1);
  }

  result(): PgText {
    const { same, print } = this.#listing;
    const elements = same === null ? this.#elements : firstOfSame(this.#elements, same);
    return elements.length === 0 ? null : print(elements.map(({ args }) => args));
  }

  #placeOf(element: Element): number {
    return placeOf(this.#elements, (other) => this.#listing.compare(other, element) < 0);
  }
}

function firstOfSame(elements: readonly Element[], same: (element: Element) => string): Element[] {
  const seen = new Map<string, Element>();
  for (const element of elements) {
    const key = same(element);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, element);
    else if (first.args.some((value, at) => value !== element.args[at]))
      notReproduced('which of equal values that print differently is shown');
  }
  return [...seen.values()];
}
