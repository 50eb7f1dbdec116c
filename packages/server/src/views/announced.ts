/** What is read of things that are announced, side by side; each is forgotten when it is taken. */
export class Announced<K extends object, V> {
  #all: readonly K[] = [];
  #values: readonly V[] = [];
  /** Of those that have not come. */
  #next = 0;
  readonly #read: (one: K) => V;

  constructor(read: (one: K) => V) {
    this.#read = read;
  }

  /** Whatever was announced before and has not come is forgotten. */
  announce(all: readonly K[]): readonly V[] {
    this.#keep(all, all.map(this.#read));
    return this.#values;
  }

  /** Of one that comes now, announced or not: those that were announced come in their order. */
  take(one: K): V {
    const at = this.#all.indexOf(one, this.#next);
    if (at < 0) return this.#read(one);
    const value = this.#values[at] as V;
    this.#next = at + 1;
    if (this.#next === this.#all.length) this.#keep([], []);
    return value;
  }

  #keep(all: readonly K[], values: readonly V[]): void {
    this.#all = all;
    this.#values = values;
    this.#next = 0;
  }
}
