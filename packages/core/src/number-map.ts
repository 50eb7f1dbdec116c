import type { MapKey } from './map-key.js';

/** What is needed of a `Map` by numbers and texts; the order of its values is left open. */
export interface RowMap<V> {
  readonly size: number;
  get(key: MapKey): V | undefined;
  set(key: MapKey, value: V): unknown;
  delete(key: MapKey): boolean;
  values(): Iterable<V>;
  clear(): void;
}

/** What holds rows and keys, if not a `Map`. */
export type MakeRowMap = <V extends object>() => RowMap<V>;

const SLOTS_MIN = 16;
/** 2^32 over the golden ratio: neighbours come to lie far apart (Knuth, "The Art of Computer Programming" 3, section 6.4). */
const SPREAD = 0x9e3779b1;

/**
 * A map whose numbers and values lie side by side in one list, by open addressing with linear probing (Knuth 3, section 6.4,
 * algorithms L and R). Where it is large and looked up at random, a `Map` reads its bucket, then one entry after the other,
 * each from memory, within a call; here it is the number and with it the value, and look-ups that follow one another wait
 * together. Texts are in a `Map`.
 */
export class NumberMap<V extends object> implements RowMap<V> {
  readonly #texts = new Map<string, V>();
  /** Of each slot a number plus one, 0 for none; then its value. */
  #pairs: (number | V | undefined)[] = emptyPairs(SLOTS_MIN);
  #count = 0;

  get size(): number {
    return this.#count + this.#texts.size;
  }

  get(key: MapKey): V | undefined {
    return typeof key === 'string' ? this.#texts.get(key) : this.#valueAt(this.#slotOf(key));
  }

  set(key: MapKey, value: V): void {
    if (typeof key === 'string') {
      this.#texts.set(key, value);
      return;
    }
    let slot = this.#slotOf(key);
    if (this.#pairs[slot] === NONE) {
      // At most half of the slots are taken: then few are looked at.
      if (4 * this.#count >= this.#pairs.length) {
        this.#resize(this.#pairs.length);
        slot = this.#slotOf(key);
      }
      this.#count++;
    }
    this.#pairs[slot] = key + 1;
    this.#pairs[slot + 1] = value;
  }

  delete(key: MapKey): boolean {
    if (typeof key === 'string') return this.#texts.delete(key);
    const slot = this.#slotOf(key);
    if (this.#pairs[slot] === NONE) return false;
    this.#close(slot);
    this.#count--;
    const slots = this.#pairs.length / 2;
    if (slots > SLOTS_MIN && 8 * this.#count < slots) this.#resize(slots / 2);
    return true;
  }

  clear(): void {
    this.#texts.clear();
    this.#pairs = emptyPairs(SLOTS_MIN);
    this.#count = 0;
  }

  *values(): Generator<V> {
    for (let slot = 0; slot < this.#pairs.length; slot += 2) {
      const value = this.#valueAt(slot);
      if (value !== undefined) yield value;
    }
    yield* this.#texts.values();
  }

  #valueAt(slot: number): V | undefined {
    return this.#pairs[slot + 1] as V | undefined;
  }

  /** Where the number is, or would be put. */
  #slotOf(number: number): number {
    const pairs = this.#pairs;
    const last = pairs.length - 1;
    let slot = this.#homeOf(number);
    for (let there = pairs[slot]; there !== NONE && there !== number + 1; there = pairs[slot])
      slot = (slot + 2) & last;
    return slot;
  }

  /** The upper bits of the product, as many as slots are counted by. */
  #homeOf(number: number): number {
    return (Math.imul(number, SPREAD) >>> (Math.clz32(this.#pairs.length) + 2)) << 1;
  }

  /** What stands behind a slot that becomes free moves up, unless it would stand before its home. */
  #close(slot: number): void {
    const pairs = this.#pairs;
    const last = pairs.length - 1;
    let free = slot;
    for (let at = (slot + 2) & last; pairs[at] !== NONE; at = (at + 2) & last) {
      const number = pairs[at] as number;
      if (((at - this.#homeOf(number - 1)) & last) < ((at - free) & last)) continue;
      pairs[free] = number;
      pairs[free + 1] = pairs[at + 1];
      free = at;
    }
    pairs[free] = NONE;
    pairs[free + 1] = undefined;
  }

  #resize(slots: number): void {
    const pairs = this.#pairs;
    this.#pairs = emptyPairs(slots);
    for (let at = 0; at < pairs.length; at += 2) {
      const number = pairs[at] as number;
      if (number === NONE) continue;
      const slot = this.#slotOf(number - 1);
      this.#pairs[slot] = number;
      this.#pairs[slot + 1] = pairs[at + 1];
    }
  }
}

/** The number of an empty slot. */
const NONE = 0;

function emptyPairs<V>(slots: number): (number | V | undefined)[] {
  return Array.from({ length: 2 * slots }, (_, at) => (at % 2 === 0 ? NONE : undefined));
}
