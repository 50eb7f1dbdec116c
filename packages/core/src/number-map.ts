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
 * A map whose numbers lie in one buffer and whose values in one list, by open addressing with linear probing (Knuth 3,
 * section 6.4, algorithms L and R). Where it is large and looked up at random, a `Map` reads its bucket, then one entry after
 * the other, each from memory, within a call; here it is the number, then the value, and look-ups that follow one another
 * wait together. Texts are in a `Map`.
 */
export class NumberMap<V extends object> implements RowMap<V> {
  readonly #texts = new Map<string, V>();
  /** A number plus one; 0 for none. */
  #numbers = new Int32Array(SLOTS_MIN);
  #values: (V | undefined)[] = emptyList(SLOTS_MIN);
  #count = 0;

  get size(): number {
    return this.#count + this.#texts.size;
  }

  get(key: MapKey): V | undefined {
    return typeof key === 'string' ? this.#texts.get(key) : this.#values[this.#slotOf(key)];
  }

  set(key: MapKey, value: V): void {
    if (typeof key === 'string') {
      this.#texts.set(key, value);
      return;
    }
    let slot = this.#slotOf(key);
    if (this.#numbers[slot] === 0) {
      // At most half of the slots are taken: then few are looked at.
      if (2 * this.#count >= this.#numbers.length) {
        this.#resize(2 * this.#numbers.length);
        slot = this.#slotOf(key);
      }
      this.#count++;
    }
    this.#numbers[slot] = key + 1;
    this.#values[slot] = value;
  }

  delete(key: MapKey): boolean {
    if (typeof key === 'string') return this.#texts.delete(key);
    const slot = this.#slotOf(key);
    if (this.#numbers[slot] === 0) return false;
    this.#close(slot);
    this.#count--;
    const slots = this.#numbers.length;
    if (slots > SLOTS_MIN && 8 * this.#count < slots) this.#resize(slots / 2);
    return true;
  }

  clear(): void {
    this.#texts.clear();
    this.#numbers = new Int32Array(SLOTS_MIN);
    this.#values = emptyList(SLOTS_MIN);
    this.#count = 0;
  }

  *values(): Generator<V> {
    for (const value of this.#values) if (value !== undefined) yield value;
    yield* this.#texts.values();
  }

  /** Where the number is, or would be put. */
  #slotOf(number: number): number {
    const numbers = this.#numbers;
    const last = numbers.length - 1;
    let slot = this.#homeOf(number);
    for (let there = numbers[slot]; there !== 0 && there !== number + 1; there = numbers[slot])
      slot = (slot + 1) & last;
    return slot;
  }

  /** The upper bits of the product, as many as slots are counted by. */
  #homeOf(number: number): number {
    return Math.imul(number, SPREAD) >>> (Math.clz32(this.#numbers.length) + 1);
  }

  /** What stands behind a slot that becomes free moves up, unless it would stand before its home. */
  #close(slot: number): void {
    const numbers = this.#numbers;
    const last = numbers.length - 1;
    let free = slot;
    for (let at = (slot + 1) & last; numbers[at] !== 0; at = (at + 1) & last) {
      const number = numbers[at] as number;
      if (((at - this.#homeOf(number - 1)) & last) < ((at - free) & last)) continue;
      numbers[free] = number;
      this.#values[free] = this.#values[at];
      free = at;
    }
    numbers[free] = 0;
    this.#values[free] = undefined;
  }

  #resize(slots: number): void {
    const [numbers, values] = [this.#numbers, this.#values];
    this.#numbers = new Int32Array(slots);
    this.#values = emptyList(slots);
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] as number;
      if (number === 0) continue;
      const slot = this.#slotOf(number - 1);
      this.#numbers[slot] = number;
      this.#values[slot] = values[at];
    }
  }
}

function emptyList<V>(length: number): (V | undefined)[] {
  return Array.from<undefined>({ length });
}
