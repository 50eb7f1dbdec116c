/** A seeded generator (xoshiro128**): the same seed gives the same schedule on every machine. */
export class Random {
  #state: Uint32Array;

  constructor(seed: number | string) {
    this.#state = expand(String(seed));
  }

  /** A generator of its own for a part of the run, so that what one part draws does not shift the others. */
  fork(label: string): Random {
    return new Random(`${this.#next()}/${label}`);
  }

  /** In [0, 1). */
  float(): number {
    return this.#next() / 2 ** 32;
  }

  /** In [0, below). */
  int(below: number): number {
    return Math.floor(this.float() * below);
  }

  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.int(list.length)];
    if (item === undefined) throw new Error('assertion failed: nothing to pick from');
    return item;
  }

  /** Picks by weight. */
  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = this.float() * list.reduce((sum, item) => sum + item.weight, 0);
    for (const item of list) {
      left -= item.weight;
      if (left < 0) return item;
    }
    return this.pick(list);
  }

  /** `length` characters that do not compress well, so that long values really go to TOAST. */
  text(length: number): string {
    let out = '';
    while (out.length < length) out += this.#next().toString(36);
    return out.slice(0, length);
  }

  #next(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    const c1 = c ^ a;
    const d1 = d ^ b;
    s[1] = b ^ c1;
    s[0] = a ^ d1;
    s[2] = c1 ^ shifted;
    s[3] = rotate(d1, 11);
    return result;
  }
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** Any text to 128 bits of state (splitmix32 over an FNV-1a hash). */
function expand(seed: string): Uint32Array {
  let hash = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    hash = (hash + 0x9e3779b9) | 0;
    let mixed = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    state[i] = mixed ^ (mixed >>> 15);
  }
  return state;
}
