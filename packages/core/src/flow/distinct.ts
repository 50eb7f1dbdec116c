import type { TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { Texts } from './one-text.js';
import { equality, same, type Change, type KeyPart } from './row.js';

interface Equal {
  readonly texts: Texts;
  shown: readonly PgText[] | null;
}

/** DISTINCT of one member: one of equal rows, as long as there is any. */
export class Distinct {
  readonly #parts: readonly KeyPart[];
  readonly #rows = new Map<string, Equal>();

  constructor(types: readonly ValueType[], rules: TypeRules) {
    this.#parts = types.map((type) => equality(type, rules));
  }

  /** @throws NotReproduced where equal rows print differently */
  apply(changes: readonly Change[]): Change[] {
    const touched = new Map<string, Equal>();
    const count = (values: readonly PgText[] | null, by: 1 | -1): void => {
      if (values === null) return;
      const key = values.map((value, at) => this.#parts[at]?.(value) ?? '-').join('');
      const equal = this.#rows.get(key) ?? { texts: new Texts(), shown: null };
      equal.texts.count(values, by);
      this.#rows.set(key, equal);
      touched.set(key, equal);
    };
    for (const { next } of changes) count(next, 1);
    for (const { old } of changes) count(old, -1);
    return [...touched].flatMap(([key, equal]) => {
      const old = equal.shown;
      const next = equal.texts.one();
      equal.shown = next;
      if (next === null) this.#rows.delete(key);
      const isSame = old === null || next === null ? old === next : same(old, next);
      return isSame ? [] : [{ key, old, next }];
    });
  }
}
