import { C_COLLATION, TEXT_GREATER, TEXT_LESS, type Facts } from './facts.js';
import type { Query, Scalar, ScalarOf, Select, SortKey, Target, TypeUse } from './query-tree.js';
import { quoteIdentifier } from '../source/quote.js';
import { baseOf } from './value-type.js';

/**
 * The query with every order of texts that only Postgres knows replaced by that of their tokens, which is by bytes: in
 * ORDER BY, windows and aggregates, in <, <=, >, >=, least, greatest, min and max. What it answers is the same.
 */
export function withOrderTokens(query: Query, facts: Facts): Query {
  return new Rewriting(facts).visit(query) as Query;
}

const TEXT: TypeUse = { oid: 25, modifier: -1, collation: C_COLLATION };
const TEXTS: ReadonlySet<number> = new Set([25, 1043]);
const COMPARISONS: ReadonlySet<string> = new Set(['text_lt', 'text_le', 'text_gt', 'text_ge']);
const EXTREMES: ReadonlySet<string> = new Set(['min', 'max']);
/** Where no ref of Postgres's own is. */
const FIRST_REF = 1 << 20;

class Rewriting {
  readonly #facts: Facts;
  #refs = FIRST_REF;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Everything in it first, then itself. */
  visit(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.visit(item));
    if (typeof value !== 'object' || value === null) return value;
    const copy: unknown = Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, this.visit(part)]),
    );
    if (isQuery(copy)) return this.#query(copy);
    return isScalar(copy) ? this.#scalar(copy) : copy;
  }

  #query(query: Query): Query {
    const { body } = query;
    if (body.kind !== 'select') return query;
    const targets = [...body.targets];
    const order = this.#keys(query.order, targets);
    const windows = body.windows.map((window) => ({ ...window, order: this.#keys(window.order, targets) }));
    const select: Select = { ...body, targets, windows };
    return { ...query, body: select, order };
  }

  /** A key by the order of texts becomes one by a target of their tokens. */
  #keys(keys: readonly SortKey[], targets: Target[]): readonly SortKey[] {
    return keys.map((key) => {
      const expression = targets.find(({ ref }) => ref === key.ref)?.expression;
      const operator = this.#facts.operators.get(key.operator)?.name ?? '';
      if (expression === undefined || !['<', '>'].includes(operator) || !this.#isText(expression)) return key;
      const collation = this.#unknown(expression.type.collation);
      if (collation === null) return key;
      const ref = refOf(token(expression, collation), targets, () => this.#refs++);
      return { ...key, ref, operator: key.descending ? TEXT_GREATER : TEXT_LESS };
    });
  }

  #scalar(scalar: Scalar): Scalar {
    switch (scalar.kind) {
      case 'call':
        return this.#comparison(scalar);
      case 'greatest':
      case 'least':
        return this.#oneOf(scalar, scalar.args, (args) => ({ ...scalar, ...OF_TOKENS, args }));
      case 'window':
        if (!this.#isExtreme(scalar.fn)) return scalar;
        return this.#oneOf(scalar, scalar.args, (args) => ({ ...scalar, ...OF_TOKENS, args }));
      case 'aggregate':
        return this.#aggregate(scalar);
      default:
        return scalar;
    }
  }

  #comparison(call: ScalarOf<'call'>): Scalar {
    const fact = this.#facts.functions.get(call.fn);
    if (fact?.language !== 'internal' || !COMPARISONS.has(fact.source)) return call;
    const collation = this.#unknown(call.collation);
    if (collation === null) return call;
    const args = call.args.map((arg) => token(arg, collation));
    return { ...call, args, collation: C_COLLATION };
  }

  #aggregate(aggregate: ScalarOf<'aggregate'>): Scalar {
    if (aggregate.distinct.length > 0) return aggregate;
    if (this.#isExtreme(aggregate.fn) && aggregate.order.length === 0) {
      const expressions = aggregate.args.map(({ expression }) => expression);
      return this.#oneOf(aggregate, expressions, (tokens) => ({
        ...aggregate,
        ...OF_TOKENS,
        args: aggregate.args.map((arg, at) => ({ ...arg, expression: tokens[at] ?? arg.expression })),
      }));
    }
    const args = [...aggregate.args];
    const order = this.#keys(aggregate.order, args);
    return { ...aggregate, args, order };
  }

  #isExtreme(fn: number): boolean {
    const fact = this.#facts.functions.get(fn);
    return fact?.schema === 'pg_catalog' && EXTREMES.has(fact.name);
  }

  /** What shows one of some texts shows the text of one of their tokens. */
  #oneOf(
    scalar: Scalar & { readonly collation: number },
    args: readonly Scalar[],
    of: (tokens: readonly Scalar[]) => Scalar,
  ): Scalar {
    const collation = this.#unknown(scalar.collation);
    if (collation === null || !args.every((arg) => this.#isText(arg))) return scalar;
    const arg = of(args.map((one) => token(one, collation)));
    return { kind: 'text of', arg, collation, type: scalar.type };
  }

  #isText({ type }: Scalar): boolean {
    return TEXTS.has(baseOf(type.oid, this.#facts)?.oid ?? 0);
  }

  /** The name of a collation whose order only Postgres knows; null of another, and where equal texts are not the same. */
  #unknown(collation: number): string | null {
    const fact = this.#facts.collations.get(collation);
    if (fact === undefined || !fact.deterministic || fact.ordersByBytes) return null;
    return `${quoteIdentifier(fact.schema)}.${quoteIdentifier(fact.name)}`;
  }
}

const OF_TOKENS = { collation: C_COLLATION, type: TEXT };

function token(arg: Scalar, collation: string): Scalar {
  return { kind: 'order of', arg, collation, type: TEXT };
}

/** The target that is this, or one that is added. */
function refOf(expression: Scalar, targets: Target[], next: () => number): number {
  const text = JSON.stringify(expression);
  const known = targets.find((target) => target.ref > 0 && JSON.stringify(target.expression) === text);
  if (known !== undefined) return known.ref;
  const ref = next();
  targets.push({ expression, name: '', junk: true, ref });
  return ref;
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'object' && value !== null && 'kind' in value && 'type' in value;
}

function isQuery(value: unknown): value is Query {
  return typeof value === 'object' && value !== null && 'body' in value && 'withTies' in value;
}
