import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { identity, same } from './row.js';

type Values = readonly PgText[];

interface Text {
  readonly values: Values;
  count: number;
}

/** The texts of rows that are equal, and how many have each: 1.0 and 1.00 are one value of which Postgres shows either. */
export class Texts {
  /** Of all of them. */
  times = 0;
  /** Mostly there is one. */
  #values: Values = [];
  #several: Map<string, Text> | null = null;

  /** @param values nothing but what is shown */
  count(values: Values, by: number): void {
    if (this.#several === null) {
      if (this.times === 0) this.#values = values;
      if (!same(this.#values, values))
        this.#several = new Map([[textOf(this.#values), { values: this.#values, count: this.times }]]);
    }
    this.times += by;
    if (this.#several === null) return;
    const text = textOf(values);
    const known = this.#several.get(text) ?? { values, count: 0 };
    known.count += by;
    if (known.count === 0) this.#several.delete(text);
    else this.#several.set(text, known);
    if (this.#several.size > 1) return;
    for (const only of this.#several.values()) this.#values = only.values;
    this.#several = null;
  }

  /** @returns null when there is none @throws NotReproduced when there are several */
  one(): Values | null {
    if (this.#several !== null) notReproduced('which of equal values that print differently is shown');
    return this.times === 0 ? null : this.#values;
  }
}

function textOf(values: Values): string {
  return values.map(identity).join('');
}
