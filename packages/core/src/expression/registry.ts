import type { TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';

/**
 * What a function of Postgres is here. Families are plain records by `pg_proc.prosrc` (see `Call`), so that a bundle
 * holds only those that it loads. Every entry is tested against Postgres, values and errors alike.
 */
export interface PgFunction {
  /** As in pg_proc: a null argument makes null, and the caller does not call. */
  readonly strict: boolean;
  /** As in pg_proc: immutable, or stable by a setting that is pinned here (time zone, date style, collation). */
  readonly stable: boolean;
  /** The result's type as pg_type names it. */
  readonly result: string;
  /** @throws NotReproduced when the types are ones for which the function is not reproduced */
  readonly bind: Bind<Evaluator>;
}

/** @param rules how the values are compared whose types need a chunk for it */
export type Bind<F> = (types: readonly ValueType[], rules: TypeRules) => F;

export type Evaluator = (...args: PgText[]) => PgText;
type Strict = (...args: string[]) => PgText;
type Test = (...args: string[]) => boolean | null;

export type Family = Readonly<Record<string, PgFunction>>;

/** Functions whose null arguments make null. */
export function strict(result: string, functions: Readonly<Record<string, Strict>>): Family {
  return typed(
    result,
    mapped(functions, (call) => () => call),
  );
}

/** The same whose result is boolean. */
export function tests(functions: Readonly<Record<string, Test>>): Family {
  return strict(
    'bool',
    mapped(functions, (test) => asText(test)),
  );
}

/** Strict functions that depend on the types of their arguments. */
export function typed(result: string, functions: Readonly<Record<string, Bind<Strict>>>): Family {
  return mapped(functions, (bind) => ({
    strict: true,
    stable: false,
    result,
    bind: (types, rules) => bind(types, rules) as Evaluator,
  }));
}

export function typedTests(functions: Readonly<Record<string, Bind<Test>>>): Family {
  return typed(
    'bool',
    mapped(
      functions,
      (bind): Bind<Strict> =>
        (types, rules) =>
          asText(bind(types, rules)),
    ),
  );
}

/** Functions that are called with nulls too. */
export function loose(result: string, functions: Readonly<Record<string, Bind<Evaluator>>>): Family {
  return mapped(functions, (bind) => ({ strict: false, stable: false, result, bind }));
}

export function stable(family: Family): Family {
  return mapped(family, (entry) => ({ ...entry, stable: true }));
}

/** The six comparisons of a type, named `<prefix>eq`, `ne`, `lt`, `le`, `gt`, `ge` and the suffix. */
export function comparisons(
  prefix: string,
  compare: (left: string, right: string) => number,
  suffix: string = '',
): Family {
  return tests({
    [`${prefix}eq${suffix}`]: (a, b) => compare(a, b) === 0,
    [`${prefix}ne${suffix}`]: (a, b) => compare(a, b) !== 0,
    [`${prefix}lt${suffix}`]: (a, b) => compare(a, b) < 0,
    [`${prefix}le${suffix}`]: (a, b) => compare(a, b) <= 0,
    [`${prefix}gt${suffix}`]: (a, b) => compare(a, b) > 0,
    [`${prefix}ge${suffix}`]: (a, b) => compare(a, b) >= 0,
  });
}

/** The six comparisons of a type whose order depends on it: an enum, an array, a collation. */
export function typedComparisons(
  prefix: string,
  comparing: Bind<(left: string, right: string) => number>,
): Family {
  const by =
    (decide: (order: number) => boolean): Bind<Test> =>
    (types, rules) => {
      const compare = comparing(types, rules);
      return (a, b) => decide(compare(a, b));
    };
  return typedTests({
    [`${prefix}eq`]: by((order) => order === 0),
    [`${prefix}ne`]: by((order) => order !== 0),
    [`${prefix}lt`]: by((order) => order < 0),
    [`${prefix}le`]: by((order) => order <= 0),
    [`${prefix}gt`]: by((order) => order > 0),
    [`${prefix}ge`]: by((order) => order >= 0),
  });
}

export function mapped<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** No test has more than two arguments; without rest parameters it is called much faster. */
function asText(test: Test): Strict {
  return (a: string, b: string) => {
    const truth = test(a, b);
    return truth === null ? null : truth ? 't' : 'f';
  };
}
