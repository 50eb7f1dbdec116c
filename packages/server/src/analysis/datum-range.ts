import { printRange } from '@sluice/core/expression/range-value';
import type { TypeFact } from './facts.js';

/** What a range says of itself in its last byte. (Postgres source, `rangetypes.h`) */
const FLAG = { empty: 1, lowerInclusive: 2, upperInclusive: 4, lowerInfinite: 8, upperInfinite: 16 } as const;
const ALIGN: Readonly<Record<string, number>> = { c: 1, s: 2, i: 4, d: 8 };

/** Of a range's bytes after the header: its type, the bounds that it has, what is said of them. */
export function rangeText(
  bytes: Uint8Array,
  element: TypeFact,
  text: (bytes: Uint8Array) => string | undefined,
): string | undefined {
  const flags = bytes.at(-1) ?? 0;
  if ((flags & FLAG.empty) !== 0) return printRange(null);
  const bounds = new Bounds(bytes, element, text);
  const lower = (flags & FLAG.lowerInfinite) === 0 ? bounds.next() : null;
  const upper = (flags & FLAG.upperInfinite) === 0 ? bounds.next() : null;
  if (lower === undefined || upper === undefined) return undefined;
  return printRange({
    lower,
    upper,
    lowerInclusive: (flags & FLAG.lowerInclusive) !== 0,
    upperInclusive: (flags & FLAG.upperInclusive) !== 0,
  });
}

class Bounds {
  readonly #bytes: Uint8Array;
  readonly #element: TypeFact;
  readonly #text: (bytes: Uint8Array) => string | undefined;
  /** Behind the type; counted, as alignment is, from the beginning of the whole value. */
  #at = 8;

  constructor(bytes: Uint8Array, element: TypeFact, text: (bytes: Uint8Array) => string | undefined) {
    this.#bytes = bytes;
    this.#element = element;
    this.#text = text;
  }

  next(): string | undefined {
    const { length, align } = this.#element;
    const step = ALIGN[align] ?? 8;
    const header = this.#byte(this.#at);
    // A value of variable length may have a header of one byte, which is never 0 as what fills up is.
    if (length === -1 && (header & 1) === 1) return this.#short(header >>> 1);
    this.#at = Math.ceil(this.#at / step) * step;
    if (length > 0) return this.#text(this.#take(length));
    if (length !== -1) return undefined;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    return this.#text(this.#take(view.getUint32(this.#at - 4, true) >>> 2));
  }

  /** With the header that the value has elsewhere. */
  #short(size: number): string | undefined {
    const content = this.#take(size).subarray(1);
    const whole = new Uint8Array(content.length + 4);
    new DataView(whole.buffer).setUint32(0, whole.length << 2, true);
    whole.set(content, 4);
    return this.#text(whole);
  }

  #take(size: number): Uint8Array {
    const from = this.#at - 4;
    this.#at += size;
    if (size <= 0 || this.#at - 4 > this.#bytes.length) throw new RangeError('a bound beyond its range');
    return this.#bytes.subarray(from, from + size);
  }

  #byte(at: number): number {
    return this.#bytes[at - 4] ?? 0;
  }
}
