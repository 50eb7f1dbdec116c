import type { Fetch } from '../source/source.js';

/**
 * What DDL means for reading, by template. Under an older schema, columns, partitions and definitions are not what they
 * were: what was read under it is void, and nothing is read until the new one is known. Templates that the DDL does not
 * mean go on, so that a stream of DDL starves only its own.
 */
export class AlteredSchema<T extends object> {
  readonly #known: () => Promise<void>;
  readonly #released: () => void;
  readonly #counts = new WeakMap<T, number>();
  readonly #held = new Map<T, Promise<void>>();

  /**
   * @param known resolves when what the stream has told so far is known; never rejects
   * @param released called when templates may be read again
   */
  constructor(known: () => Promise<void>, released: () => void) {
    this.#known = known;
    this.#released = released;
  }

  /** The stream has told of DDL that means these. */
  alter(templates: Iterable<T>): void {
    const known = this.#known();
    const altered = [...templates];
    for (const template of altered) {
      this.#counts.set(template, this.countOf(template) + 1);
      this.#held.set(template, known);
    }
    void known.then(() => {
      for (const template of altered) if (this.#held.get(template) === known) this.#held.delete(template);
      this.#released();
    });
  }

  /** How often it was altered: what was read before it moved on is void. */
  countOf(template: T): number {
    return this.#counts.get(template) ?? 0;
  }

  isHeld(template: T): boolean {
    return this.#held.has(template);
  }

  /** A read that is void when the template is altered while it lasts. */
  async fetch<R>(template: T, read: () => Promise<Fetch<R>>): Promise<Fetch<R>> {
    await this.settled(template);
    const before = this.countOf(template);
    const fetch = await read();
    return { ...fetch, chain: fetch.chain + before };
  }

  /** Resolves when nothing is altered that is not known. */
  async settled(template: T): Promise<void> {
    for (let held = this.#held.get(template); held !== undefined; held = this.#held.get(template)) await held;
  }
}
