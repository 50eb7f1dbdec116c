import type { TypeFact } from './facts.js';

const ALIGN: Readonly<Record<string, number>> = { c: 1, s: 2, i: 4, d: 8 };

/** Of an array's bytes after the header: dimensions, where the data begins, element type, bounds, which are NULL, data. */
export function arrayText(
  bytes: Uint8Array,
  element: TypeFact,
  text: (bytes: Uint8Array) => string | undefined,
): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const dimensions = view.getInt32(0, true);
  const offset = view.getInt32(4, true);
  if (dimensions === 0) return '{}';
  const sizes = Array.from({ length: dimensions }, (_, at) => view.getInt32(12 + at * 4, true));
  const lower = Array.from({ length: dimensions }, (_, at) =>
    view.getInt32(12 + (dimensions + at) * 4, true),
  );
  const nulls = offset === 0 ? null : 12 + dimensions * 8;
  // Offsets count from the header's four bytes; without NULLs the data begins at the next multiple of 8.
  const start = offset === 0 ? ((16 + dimensions * 8 + 7) & ~7) - 4 : offset - 4;
  const count = sizes.reduce((product, size) => product * size, 1);
  const isNull = (index: number): boolean =>
    nulls !== null && ((bytes[nulls + (index >> 3)] ?? 0) & (1 << (index & 7))) === 0;
  const values = elementsOf(bytes, start, count, element, isNull).map((value) =>
    value === null ? 'NULL' : quoteWith(text(value)),
  );
  if (values.includes(undefined)) return undefined;
  const bounds = lower.every((bound) => bound === 1)
    ? ''
    : `${lower.map((bound, at) => `[${bound}:${bound + (sizes[at] ?? 0) - 1}]`).join('')}=`;
  return (
    bounds +
    nest(
      values.filter((value) => value !== undefined),
      sizes,
    )
  );
}

function elementsOf(
  bytes: Uint8Array,
  start: number,
  count: number,
  { length, align }: TypeFact,
  isNull: (index: number) => boolean,
): readonly (Uint8Array | null)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const step = ALIGN[align] ?? 8;
  const values: (Uint8Array | null)[] = [];
  // Alignment counts from the beginning of the whole value.
  let at = start + 4;
  for (let index = 0; index < count; index++) {
    if (isNull(index)) {
      values.push(null);
      continue;
    }
    at = Math.ceil(at / step) * step;
    const size =
      length > 0
        ? length
        : length === -1
          ? view.getUint32(at - 4, true) >>> 2
          : bytes.indexOf(0, at - 4) - at + 5;
    if (size <= 0 || at - 4 + size > bytes.length) throw new RangeError('an element beyond its array');
    values.push(bytes.subarray(at - 4, at - 4 + size));
    at += size;
  }
  return values;
}

function quoteWith(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const plain =
    value !== '' && !/^null$/i.test(value) && !/["\\{},\s]/.test(value.replace(/[^\t-\r\x20-\x7e]/g, ''));
  return plain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function nest(values: readonly string[], sizes: readonly number[]): string {
  const [, ...inner] = sizes;
  if (inner.length === 0) return `{${values.join(',')}}`;
  const size = inner.reduce((product, one) => product * one, 1);
  const parts: string[] = [];
  for (let at = 0; at < values.length; at += size) parts.push(nest(values.slice(at, at + size), inner));
  return `{${parts.join(',')}}`;
}
