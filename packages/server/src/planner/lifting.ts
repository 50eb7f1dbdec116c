import type { Operand } from '@sluice/core/plan';
import type { PlanFacts } from './plan-facts.js';
import type { ParamType, PlanParam } from './planned.js';
import { BeyondOneTable } from './reasons.js';

/**
 * Gives every constant and parameter of a plan its number, in the order of their first use: that order is the
 * same for `= 5` and `= $1`, so both make the same plan. Equal ones share a number only if they are the same `$n`.
 */
export class Lifting {
  readonly params: PlanParam[] = [];
  readonly #facts: PlanFacts;
  readonly #numbers = new Map<number, number>();

  constructor(facts: PlanFacts) {
    this.#facts = facts;
  }

  /** `$n`, zero-based. */
  param(index: number): { readonly param: number } & Operand {
    const known = this.#numbers.get(index);
    if (known !== undefined) return { param: known };
    const type = this.#facts.paramTypes[index];
    if (type === undefined) throw new BeyondOneTable();
    this.#numbers.set(index, this.params.length);
    return this.#add({ kind: 'param', index, type });
  }

  constant(value: string | null, typeOid: number): { readonly param: number } & Operand {
    return this.#add({ kind: 'constant', value, type: this.typeOf(typeOid) });
  }

  typeOf(oid: number): ParamType {
    const names = this.#facts.names.get(oid);
    if (names === undefined) throw new BeyondOneTable();
    return { oid, name: names.castable };
  }

  /** The array type whose elements are of this type. */
  arrayOf(oid: number): number {
    for (const type of this.#facts.registry.types.values())
      if (type.kind === 'array' && type.elementOid === oid) return type.oid;
    throw new BeyondOneTable();
  }

  #add(param: PlanParam): { readonly param: number } & Operand {
    this.params.push(param);
    return { param: this.params.length - 1 };
  }
}
