/** The names of common table expressions that a query level sees, innermost first. Immutable. */
export class Scope {
  static readonly EMPTY: Scope = new Scope(null, null);
  readonly #name: string | null;
  readonly #outer: Scope | null;

  private constructor(name: string | null, outer: Scope | null) {
    this.#name = name;
    this.#outer = outer;
  }

  with(name: string): Scope {
    return new Scope(name, this);
  }

  has(name: string): boolean {
    if (this.#name === name) return true;
    return this.#outer?.has(name) ?? false;
  }
}
