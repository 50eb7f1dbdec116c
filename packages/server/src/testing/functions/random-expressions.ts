import type { Expression } from '@sluice/core/expression';
import type { ValueType } from '@sluice/core/plan';
import type { RandomValues } from './random-values.js';

/** An expression of a plan and the same in SQL, over the columns of `ROWS`. */
export interface RandomExpression {
  readonly expression: Expression;
  readonly sql: string;
}

const INT: ValueType = { kind: 'int' };

/** Two integers, two texts, a truth value, an array: rows of few values, so that they are often equal, zero or null. */
export const COLUMNS = ['a int', 'b int', 's text', 't text', 'p bool', 'x int[]'] as const;

type Kind = 'int' | 'text' | 'bool' | 'array';

const OF_KIND: Readonly<Record<Kind, readonly number[]>> = {
  int: [0, 1],
  text: [2, 3],
  bool: [4],
  array: [5],
};
const INT_CALLS = [
  ['int4pl', '+'],
  ['int4mi', '-'],
  ['int4mul', '*'],
  ['int4div', '/'],
  ['int4mod', '%'],
] as const;
const INT_TESTS = [
  ['int4eq', '='],
  ['int4ne', '<>'],
  ['int4lt', '<'],
  ['int4le', '<='],
  ['int4gt', '>'],
  ['int4ge', '>='],
] as const;
const TEXT_TESTS = [
  ['texteq', '='],
  ['textne', '<>'],
  ['textlike', 'LIKE'],
  ['textnlike', 'NOT LIKE'],
] as const;

export class RandomExpressions {
  readonly #random: RandomValues;

  constructor(random: RandomValues) {
    this.#random = random;
  }

  truth(depth: number): RandomExpression {
    if (depth <= 0) return this.#column('bool');
    const makers = [
      () => this.#call(INT_TESTS, 'int', depth),
      () => this.#call(TEXT_TESTS, 'text', depth),
      () => this.#junction('and', depth),
      () => this.#junction('or', depth),
      () => this.#not(depth),
      () => this.#is(depth),
      () => this.#isNull(depth),
      () => this.#distinct(depth),
      () => this.#quantified('any', depth),
      () => this.#quantified('all', depth),
      () => this.#case('bool', depth),
      () => this.#coalesce('bool', depth),
    ];
    return this.#pick(makers)();
  }

  value(kind: Kind, depth: number): RandomExpression {
    if (kind === 'bool') return this.truth(depth);
    if (depth <= 0 || (kind === 'array' && this.#random.below(2))) return this.#column(kind);
    if (kind === 'array') return this.#array(depth);
    const makers = [
      () => this.#case(kind, depth),
      () => this.#coalesce(kind, depth),
      () => this.#nullif(kind, depth),
      () =>
        kind === 'int' ? this.#call(INT_CALLS, 'int', depth) : this.#call([['textcat', '||']], 'text', depth),
      () => (kind === 'int' ? this.#extreme(depth) : this.#column(kind)),
    ];
    return this.#pick(makers)();
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)] as T;
  }

  #column(kind: Kind): RandomExpression {
    const column = this.#pick(OF_KIND[kind]);
    return { expression: { op: 'column', column }, sql: COLUMNS[column]?.split(' ')[0] ?? '' };
  }

  #many(kind: Kind, depth: number): RandomExpression[] {
    return Array.from({ length: 1 + this.#random.below(3) }, () => this.value(kind, depth - 1));
  }

  #call(calls: readonly (readonly [string, string])[], kind: Kind, depth: number): RandomExpression {
    const [fn, operator] = this.#pick(calls);
    const left = this.value(kind, depth - 1);
    const right = this.value(kind, depth - 1);
    const types: readonly ValueType[] = kind === 'text' ? [{ kind: 'text', ordered: false }] : [];
    return {
      expression: { op: 'call', fn, args: [left.expression, right.expression], types },
      sql: `(${left.sql} ${operator} ${right.sql})`,
    };
  }

  #junction(op: 'and' | 'or', depth: number): RandomExpression {
    const args = [this.truth(depth - 1), ...this.#many('bool', depth)];
    return {
      expression: { op, args: args.map(({ expression }) => expression) },
      sql: `(${args.map(({ sql }) => sql).join(` ${op} `)})`,
    };
  }

  #not(depth: number): RandomExpression {
    const arg = this.truth(depth - 1);
    return { expression: { op: 'not', arg: arg.expression }, sql: `(NOT ${arg.sql})` };
  }

  #is(depth: number): RandomExpression {
    const arg = this.truth(depth - 1);
    const value = this.#pick([true, false, null]);
    const negated = this.#random.below(2) === 1;
    const word = value === null ? 'UNKNOWN' : String(value);
    return {
      expression: { op: 'is', arg: arg.expression, value, negated },
      sql: `(${arg.sql} IS ${negated ? 'NOT ' : ''}${word})`,
    };
  }

  #isNull(depth: number): RandomExpression {
    const arg = this.value(this.#pick(['int', 'text', 'bool', 'array']), depth - 1);
    const op = this.#pick(['is_null', 'is_not_null'] as const);
    return {
      expression: { op, arg: arg.expression },
      sql: `(${arg.sql} IS ${op === 'is_null' ? '' : 'NOT '}NULL)`,
    };
  }

  #pair(depth: number): {
    fn: string;
    kind: 'int' | 'text';
    left: RandomExpression;
    right: RandomExpression;
  } {
    const kind = this.#pick(['int', 'text'] as const);
    return {
      kind,
      fn: kind === 'int' ? 'int4eq' : 'texteq',
      left: this.value(kind, depth - 1),
      right: this.value(kind, depth - 1),
    };
  }

  #distinct(depth: number): RandomExpression {
    const { fn, left, right } = this.#pair(depth);
    const negated = this.#random.below(2) === 1;
    return {
      expression: { op: 'distinct', fn, left: left.expression, right: right.expression, negated },
      sql: `(${left.sql} IS ${negated ? 'NOT ' : ''}DISTINCT FROM ${right.sql})`,
    };
  }

  #nullif(kind: 'int' | 'text', depth: number): RandomExpression {
    const left = this.value(kind, depth - 1);
    const right = this.value(kind, depth - 1);
    const fn = kind === 'int' ? 'int4eq' : 'texteq';
    return {
      expression: { op: 'nullif', fn, left: left.expression, right: right.expression },
      sql: `nullif(${left.sql}, ${right.sql})`,
    };
  }

  #quantified(op: 'any' | 'all', depth: number): RandomExpression {
    const [fn, operator] = this.#pick(INT_TESTS);
    const left = this.value('int', depth - 1);
    const array = this.value('array', depth - 1);
    return {
      expression: { op, fn, left: left.expression, array: array.expression, type: INT },
      sql: `(${left.sql} ${operator} ${op} (${array.sql}))`,
    };
  }

  #case(kind: Kind, depth: number): RandomExpression {
    const arms = this.#many(kind, depth).map((then) => [this.truth(depth - 1), then] as const);
    const otherwise = this.value(kind, depth - 1);
    return {
      expression: {
        op: 'case',
        arms: arms.map(([when, then]) => [when.expression, then.expression]),
        otherwise: otherwise.expression,
      },
      sql: `(CASE ${arms.map(([when, then]) => `WHEN ${when.sql} THEN ${then.sql}`).join(' ')} ELSE ${otherwise.sql} END)`,
    };
  }

  #coalesce(kind: Kind, depth: number): RandomExpression {
    const args = this.#many(kind, depth);
    return {
      expression: { op: 'coalesce', args: args.map(({ expression }) => expression) },
      sql: `coalesce(${args.map(({ sql }) => sql).join(', ')})`,
    };
  }

  #extreme(depth: number): RandomExpression {
    const op = this.#pick(['greatest', 'least'] as const);
    const args = this.#many('int', depth);
    return {
      expression: { op, args: args.map(({ expression }) => expression), type: INT },
      sql: `${op}(${args.map(({ sql }) => sql).join(', ')})`,
    };
  }

  #array(depth: number): RandomExpression {
    const args = this.#many('int', depth);
    return {
      expression: { op: 'array', args: args.map(({ expression }) => expression), type: INT },
      sql: `ARRAY[${args.map(({ sql }) => sql).join(', ')}]`,
    };
  }
}
