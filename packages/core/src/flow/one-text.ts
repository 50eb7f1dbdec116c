import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { identity } from './row.js';

type Values = readonly PgText[];

/** The texts of rows that are equal, and how many have each: 1.0 and 1.00 are one value of which Postgres shows either. */
export class Texts {
  readonly #texts = new Map<string, { readonly values: Values; count: number }>();

  /** @param values nothing but what is shown */
  count(values: Values, by: 1 | -1): void {
    const text = values.map(identity).join('');
    const known = this.#texts.get(text) ?? { values, count: 0 };
    known.count += by;
    if (known.count === 0) this.#texts.delete(text);
    else this.#texts.set(text, known);
  }

  get isEmpty(): boolean {
    return this.#texts.size === 0;
  }

  /** @returns null when there is none @throws NotReproduced when there are several */
  one(): Values | null {
    if (this.#texts.size > 1) notReproduced('which of equal values that print differently is shown');
    for (const { values } of this.#texts.values()) return values;
    return null;
  }
}
