import { printBox, printCircle, printPoint, type Point } from '@sluice/core/expression/geometry-value';
import { addressText } from './datum-address.js';
import { arrayText } from './datum-array.js';
import { jsonbText } from './datum-jsonb.js';
import { float4Text, float8Text, numericText } from './datum-number.js';
import { multirangeText, rangeText } from './datum-range.js';
import { dateText, intervalText, timestampText, timeText, timetzText } from './datum-time.js';
import type { TypeFact } from './facts.js';

/**
 * The text that Postgres prints for a value, from the bytes that it holds in memory: little-endian, UTF-8 (whoever
 * asks Postgres for the tree makes sure of both). Undefined for a type that is not decoded, or bytes that are not its.
 */
export function datumText(
  bytes: Uint8Array,
  type: number,
  types: ReadonlyMap<number, TypeFact>,
): string | undefined {
  const decode = DECODERS[type];
  try {
    if (decode !== undefined) return decode(viewOf(bytes), bytes);
    return otherText(bytes, type, types);
  } catch (error) {
    // Shorter than its type, or not UTF-8.
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

type Decoder = (view: DataView, bytes: Uint8Array) => string | undefined;

const DECODERS: Readonly<Record<number, Decoder>> = {
  16: (view) => (view.getUint8(0) === 0 ? 'f' : 't'),
  17: (_, bytes) => varlena(bytes, (content) => `\\x${hex(content)}`),
  19: (_, bytes) => cstring(bytes),
  20: (view) => view.getBigInt64(0, true).toString(),
  21: (view) => String(view.getInt16(0, true)),
  23: (view) => String(view.getInt32(0, true)),
  25: text,
  26: (view) => String(view.getUint32(0, true)),
  114: text,
  142: text,
  600: (view) => printPoint(pointAt(view, 0)),
  603: (view) => printBox({ high: pointAt(view, 0), low: pointAt(view, 16) }),
  650: (_, bytes) => varlena(bytes, (content) => addressText(content, true)),
  700: (view) => float4Text(view.getFloat32(0, true)),
  701: (view) => float8Text(view.getFloat64(0, true)),
  705: (_, bytes) => cstring(bytes),
  718: (view) => printCircle({ center: pointAt(view, 0), radius: view.getFloat64(16, true) }),
  774: (_, bytes) => macText(bytes, 8),
  829: (_, bytes) => macText(bytes, 6),
  869: (_, bytes) => varlena(bytes, (content) => addressText(content, false)),
  1042: text,
  1043: text,
  1082: (view) => dateText(view.getInt32(0, true)),
  1083: (view) => timeText(view.getBigInt64(0, true)),
  1114: (view) => timestampText(view.getBigInt64(0, true), ''),
  1184: (view) => timestampText(view.getBigInt64(0, true), '+00'),
  1186: (view) => intervalText(view.getBigInt64(0, true), view.getInt32(8, true), view.getInt32(12, true)),
  1266: (view) => timetzText(view.getBigInt64(0, true), view.getInt32(8, true)),
  1560: bitText,
  1562: bitText,
  1700: (_, bytes) => varlena(bytes, (content) => numericText(viewOf(content))),
  2275: (_, bytes) => cstring(bytes),
  2950: (_, bytes) => uuidText(bytes),
  3802: (_, bytes) => varlena(bytes, (content) => jsonbText(content)),
};

function otherText(
  bytes: Uint8Array,
  type: number,
  types: ReadonlyMap<number, TypeFact>,
): string | undefined {
  const fact = types.get(type);
  if (fact === undefined) return undefined;
  if (fact.kind === 'e') return fact.labels?.[String(viewOf(bytes).getUint32(0, true))];
  if (fact.kind === 'd' && fact.base !== null) return datumText(bytes, fact.base, types);
  const subtype = fact.subtype === null ? undefined : types.get(fact.subtype);
  if (fact.kind === 'r' && subtype !== undefined)
    return varlena(bytes, (content) =>
      rangeText(content, subtype, (value) => datumText(value, subtype.oid, types)),
    );
  const range = fact.range === null ? undefined : types.get(fact.range);
  const bound = range?.subtype === undefined || range.subtype === null ? undefined : types.get(range.subtype);
  if (bound !== undefined)
    return varlena(bytes, (content) =>
      multirangeText(content, bound, (value) => datumText(value, bound.oid, types)),
    );
  const element = fact.element === null ? undefined : types.get(fact.element);
  if (element === undefined) return undefined;
  return varlena(bytes, (content) =>
    arrayText(content, element, (value) => datumText(value, element.oid, types)),
  );
}

/** The content after the four bytes of the header, which tell the length; in a tree nothing is compressed or packed. */
function varlena(bytes: Uint8Array, read: (content: Uint8Array) => string | undefined): string | undefined {
  const header = viewOf(bytes).getUint32(0, true);
  if ((header & 3) !== 0 || header >>> 2 !== bytes.length) return undefined;
  return read(bytes.subarray(4));
}

function text(_: DataView, bytes: Uint8Array): string | undefined {
  return varlena(bytes, (content) => utf8(content));
}

/** Up to the first NUL. */
function cstring(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  return end === -1 ? undefined : utf8(bytes.subarray(0, end));
}

function uuidText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 16) return undefined;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function pointAt(view: DataView, at: number): Point {
  return { x: view.getFloat64(at, true), y: view.getFloat64(at + 8, true) };
}

function macText(bytes: Uint8Array, count: number): string | undefined {
  return bytes.length === count ? Array.from(bytes, (byte) => hex(Uint8Array.of(byte))).join(':') : undefined;
}

/** How many there are, and then they, from the left. */
function bitText(_: DataView, bytes: Uint8Array): string | undefined {
  return varlena(bytes, (content) =>
    Array.from(content.subarray(4), (byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, viewOf(content).getInt32(0, true)),
  );
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
