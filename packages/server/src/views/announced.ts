/** What is read of things that are announced, side by side; each is forgotten when it is taken. */
export class Announced<K extends object, V> {
  readonly #known = new Map<K, V>();
  readonly #read: (one: K) => V;

  constructor(read: (one: K) => V) {
    this.#read = read;
  }

  /** Whatever was announced before and has not come is forgotten. */
  announce(all: readonly K[]): readonly V[] {
    this.#known.clear();
    for (const one of all) this.#known.set(one, this.#read(one));
    return [...this.#known.values()];
  }

  /** Of one that comes now, announced or not. */
  take(one: K): V {
    const known = this.#known.get(one);
    return this.#known.delete(one) ? (known as V) : this.#read(one);
  }
}
