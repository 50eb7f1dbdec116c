/** The last of no views. */
export const NO_VIEWS = -1;

/**
 * Of which views something came by the lane in this turn, by connection. A connection knows but the number of the last: what
 * a turn makes does not hang on connections, which lie by themselves in memory.
 */
export class TurnViews {
  readonly #views: number[] = [];
  /** The one before it of the same connection. */
  readonly #before: number[] = [];

  /** @param last of the connection @returns the last from now on */
  add(view: number, last: number): number {
    this.#before.push(last);
    return this.#views.push(view) - 1;
  }

  /** Those up to the last, in the order in which they came. */
  upTo(last: number): readonly number[] {
    const views: number[] = [];
    for (let at = last; at !== NO_VIEWS; at = this.#before[at] ?? NO_VIEWS) views.push(this.#views[at] ?? 0);
    return views.length > 1 ? views.reverse() : views;
  }

  /** The turn is over. */
  clear(): void {
    this.#views.length = 0;
    this.#before.length = 0;
  }
}
