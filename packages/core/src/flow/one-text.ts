import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { identity } from './row.js';

type Values = readonly PgText[];

interface Text {
  readonly values: Values;
  count: number;
}

/** The texts of rows that are equal, and how many have each: 1.0 and 1.00 are one value of which Postgres shows either. */
export class Texts {
  /** Mostly there is one. */
  #only: Text | null = null;
  #several: Map<string, Text> | null = null;

  /** @param values nothing but what is shown */
  count(values: Values, by: number): void {
    if (this.#several === null) {
      this.#only ??= { values, count: 0 };
      if (sameTexts(this.#only.values, values)) {
        this.#only.count += by;
        if (this.#only.count === 0) this.#only = null;
        return;
      }
      this.#several = new Map([[textOf(this.#only.values), this.#only]]);
    }
    const text = textOf(values);
    const known = this.#several.get(text) ?? { values, count: 0 };
    known.count += by;
    if (known.count === 0) this.#several.delete(text);
    else this.#several.set(text, known);
    if (this.#several.size > 1) return;
    for (const only of this.#several.values()) this.#only = only;
    if (this.#several.size === 0) this.#only = null;
    this.#several = null;
  }

  get isEmpty(): boolean {
    return this.#only === null && this.#several === null;
  }

  /** @returns null when there is none @throws NotReproduced when there are several */
  one(): Values | null {
    if (this.#several !== null) notReproduced('which of equal values that print differently is shown');
    return this.#only?.values ?? null;
  }
}

function sameTexts(left: Values, right: Values): boolean {
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return left.length === right.length;
}

function textOf(values: Values): string {
  return values.map(identity).join('');
}
