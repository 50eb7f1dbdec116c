import { printString } from '@sluice/core/expression/json-string';
import { numericText } from './datum-number.js';

// A container is a word with its count and kind, a word for each child (keys first), and then their bytes. A child's
// word holds its kind and its length, or at every so manyth child where it ends.

const COUNT = 0x0fffffff;
const IS_SCALAR = 0x10000000;
const IS_OBJECT = 0x20000000;
const HAS_OFFSET = 0x80000000;
const KIND = 0x70000000;
const LENGTH = 0x0fffffff;

export function jsonbText(bytes: Uint8Array): string | undefined {
  return containerText(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
}

function containerText(view: DataView): string | undefined {
  const header = view.getUint32(0, true);
  const isObject = (header & IS_OBJECT) !== 0;
  const children = (header & COUNT) * (isObject ? 2 : 1);
  const texts: string[] = [];
  const base = 4 + children * 4;
  let start = 0;
  for (let index = 0; index < children; index++) {
    const entry = view.getUint32(4 + index * 4, true);
    const end = (entry & HAS_OFFSET) !== 0 ? entry & LENGTH : start + (entry & LENGTH);
    const text = childText(view, entry & KIND, base, start, end);
    if (text === undefined) return undefined;
    texts.push(text);
    start = end;
  }
  if ((header & IS_SCALAR) !== 0) return texts[0];
  if (!isObject) return `[${texts.join(', ')}]`;
  const half = children / 2;
  return `{${texts
    .slice(0, half)
    .map((key, at) => `${key}: ${texts[half + at] ?? ''}`)
    .join(', ')}}`;
}

function childText(
  view: DataView,
  kind: number,
  base: number,
  start: number,
  end: number,
): string | undefined {
  // Numbers and containers begin at a whole word.
  const aligned = (start + 3) & ~3;
  const part = (from: number): DataView =>
    new DataView(view.buffer, view.byteOffset + base + from, end - from);
  switch (kind) {
    case 0x00000000:
      return quoted(part(start));
    case 0x10000000:
      // A number is a varlena of its own.
      return numericText(new DataView(view.buffer, view.byteOffset + base + aligned + 4, end - aligned - 4));
    case 0x20000000:
      return 'false';
    case 0x30000000:
      return 'true';
    case 0x40000000:
      return 'null';
    case 0x50000000:
      return containerText(part(aligned));
    default:
      return undefined;
  }
}

function quoted(view: DataView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return printString(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
}
