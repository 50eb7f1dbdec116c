import type { ValueType } from './plan.js';

/**
 * A scalar expression of a plan, as Postgres itself has resolved it: plain JSON, the same on server and client.
 * Values are Postgres's own text going in and coming out; booleans are `t` and `f`. Every constant is a parameter.
 */
export type Expression =
  /** An index into the row at hand. */
  | { readonly op: 'column'; readonly column: number }
  /** An index into the binding; `$1` is 0. */
  | { readonly op: 'param'; readonly param: number }
  | Call
  | { readonly op: 'and' | 'or'; readonly args: readonly Expression[] }
  | { readonly op: 'not'; readonly arg: Expression }
  | { readonly op: 'is_null' | 'is_not_null'; readonly arg: Expression }
  /** `IS [NOT] TRUE`, `FALSE`, `UNKNOWN` (null). */
  | { readonly op: 'is'; readonly arg: Expression; readonly value: boolean | null; readonly negated: boolean }
  /** `IS DISTINCT FROM`; negated is `IS NOT DISTINCT FROM`. `fn` is the type's equality. */
  | Compared<'distinct'>
  | Compared<'nullif'>
  /** `left fn ANY (array)` and ALL. `type` is that of the array's elements. */
  | {
      readonly op: 'any' | 'all';
      readonly fn: string;
      readonly left: Expression;
      readonly array: Expression;
      readonly type: ValueType;
      /** Of `fn`'s arguments, when `left` has another type than the elements. */
      readonly types?: readonly ValueType[];
    }
  /** The searched CASE; a simple one becomes one. */
  | {
      readonly op: 'case';
      readonly arms: readonly (readonly [Expression, Expression])[];
      readonly otherwise: Expression;
    }
  | { readonly op: 'coalesce'; readonly args: readonly Expression[] }
  | { readonly op: 'greatest' | 'least'; readonly args: readonly Expression[]; readonly type: ValueType }
  /** `ARRAY[…]`; `type` is that of the arguments: when they are arrays, the result has one dimension more. */
  | { readonly op: 'array'; readonly args: readonly Expression[]; readonly type: ValueType }
  /** `ROW(…)`. What reads it has its type, with the names of the fields. */
  | { readonly op: 'row'; readonly args: readonly Expression[] };

/**
 * A function of Postgres by the name of its C function (`pg_proc.prosrc`): `int4pl`, `textlike`, `numeric_mul`,
 * `timestamptz_pl_interval`. Operators and casts are their functions; a cast by way of text is the output function
 * of the one type inside the input function of the other (`numeric_in(textout(…))`), without their type modifiers.
 * One that Postgres defines in SQL goes by its signature: `lpad(text,integer)`. The arguments of a function that is
 * VARIADIC "any" are written out (`text_concat`); one that is called with the keyword VARIADIC is not reproduced. A
 * subscript is `array_subscript_handler` or `jsonb_subscript_handler` of the container and its indexes.
 */
export interface Call {
  readonly op: 'call';
  readonly fn: string;
  readonly args: readonly Expression[];
  /** Of the arguments, where the name alone does not say: enums, arrays, ranges, text that is compared or cased. */
  readonly types?: readonly ValueType[];
}

interface Compared<Op extends string> {
  readonly op: Op;
  readonly fn: string;
  readonly left: Expression;
  readonly right: Expression;
  readonly types?: readonly ValueType[];
  /** Of `distinct` alone. */
  readonly negated?: boolean;
}
