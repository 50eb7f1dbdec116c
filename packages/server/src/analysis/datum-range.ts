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
  return oneRange(bytes.at(-1) ?? 0, new Bounds(bytes, element, text, BOUNDS_AT));
}

/** Behind the header and the type; counted, as alignment is, from the beginning of the whole value. */
const BOUNDS_AT = 8;

/**
 * Of a multirange's bytes after the header: its type, how many ranges it has, where all but the first begin, what is
 * said of the bounds of each, the bounds.
 */
export function multirangeText(
  bytes: Uint8Array,
  element: TypeFact,
  text: (bytes: Uint8Array) => string | undefined,
): string | undefined {
  const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4, true);
  if (count === 0) return '{}';
  const flagsAt = 12 + (count - 1) * 4;
  const bounds = new Bounds(bytes, element, text, flagsAt + count);
  const ranges: string[] = [];
  for (let at = 0; at < count; at++) {
    bounds.align();
    const range = oneRange(bytes[flagsAt - 4 + at] ?? 0, bounds);
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  return `{${ranges.join(',')}}`;
}

function oneRange(flags: number, bounds: Bounds): string | undefined {
  if ((flags & FLAG.empty) !== 0) return printRange(null);
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
  #at: number;

  constructor(
    bytes: Uint8Array,
    element: TypeFact,
    text: (bytes: Uint8Array) => string | undefined,
    at: number,
  ) {
    this.#at = at;
    this.#bytes = bytes;
    this.#element = element;
    this.#text = text;
  }

  align(): void {
    const step = ALIGN[this.#element.align] ?? 8;
    this.#at = Math.ceil(this.#at / step) * step;
  }

  next(): string | undefined {
    const { length } = this.#element;
    const header = this.#byte(this.#at);
    // A value of variable length may have a header of one byte, which is never 0 as what fills up is.
    if (length === -1 && (header & 1) === 1) return this.#short(header >>> 1);
    this.align();
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
