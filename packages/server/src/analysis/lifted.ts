import type { PgText } from '@sluice/core/value';
import { Names } from './deparse-names.js';
import type { Facts } from './facts.js';
import type { TypeUse } from './query-tree.js';

/** A plan's parameter: one of the query's own, or a constant of its text. */
export type LiftedParam =
  | { readonly kind: 'param'; readonly index: number; readonly type: LiftedType }
  | { readonly kind: 'constant'; readonly value: PgText; readonly type: LiftedType };

export interface LiftedType {
  readonly oid: number;
  /** Castable, schema-qualified and quoted. */
  readonly name: string;
}

/**
 * Gives every constant and parameter of a plan its number, in the order of their first use: that order is the same
 * for `= 5` and `= $1`, so both make the same plan. Equal ones share a number only if they are the same `$n`.
 */
export class Lifted {
  readonly params: LiftedParam[] = [];
  readonly #names: Names;
  readonly #numbers = new Map<number, number>();

  constructor(facts: Facts) {
    this.#names = new Names(facts);
  }

  /** `$n`, zero-based. */
  param(index: number, type: TypeUse): number {
    const known = this.#numbers.get(index);
    if (known !== undefined) return known;
    this.#numbers.set(index, this.params.length);
    return this.#add({ kind: 'param', index, type: this.#type(type) });
  }

  constant(value: PgText, type: TypeUse): number {
    return this.#add({ kind: 'constant', value, type: this.#type(type) });
  }

  #type(type: TypeUse): LiftedType {
    return { oid: type.oid, name: this.#names.type({ ...type, modifier: -1 }) };
  }

  #add(param: LiftedParam): number {
    this.params.push(param);
    return this.params.length - 1;
  }
}
