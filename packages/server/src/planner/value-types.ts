import type { ValueType } from '@sluice/core/plan';
import type { Column, Registry } from '../registry/registry.js';
import { baseTypeOf } from './types.js';

/** Oids of the types that comparisons are about. (pg_type.dat) */
export const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  float4: 700,
  float8: 701,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
} as const;

const KINDS: ReadonlyMap<
  number,
  Exclude<ValueType['kind'], 'text' | 'char' | 'enum' | 'array' | 'range' | 'multirange' | 'row' | 'opaque'>
> = new Map([
  [OID.bool, 'bool'],
  [OID.bytea, 'bytea'],
  [OID.int2, 'int'],
  [OID.int4, 'int'],
  [OID.int8, 'int'],
  [OID.numeric, 'numeric'],
  [OID.float4, 'float'],
  [OID.float8, 'float'],
  [OID.uuid, 'uuid'],
  [OID.date, 'date'],
  [OID.timestamp, 'timestamp'],
  [OID.timestamptz, 'timestamptz'],
]);

/** What the engine makes of a type; domains are what they are made of. `ordered`: the collation is by bytes. */
export function valueType(registry: Registry, oid: number, ordered: boolean): ValueType {
  const base = baseTypeOf(registry, oid);
  if (base === OID.text || base === OID.varchar) return { kind: 'text', ordered };
  const type = registry.types.get(base);
  if (type?.kind === 'enum') return { kind: 'enum', labels: type.labels ?? [] };
  return { kind: KINDS.get(base) ?? 'opaque' };
}

export function columnType(registry: Registry, column: Column): ValueType {
  return valueType(registry, column.typeOid, column.collationIsC);
}

/** Whether the engine orders values of a type as Postgres does. */
export function isOrdered(type: ValueType): boolean {
  return type.kind === 'text' ? type.ordered : type.kind !== 'opaque';
}

const INT_TYPES: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8]);

/**
 * The type that Postgres compares two base types in, where that is certain: the same type, integers of any width,
 * integers with numeric, text with varchar. Everything else has casts whose outcome needs more than these rules.
 */
export function commonType(registry: Registry, left: number, right: number): ValueType | null {
  const a = baseTypeOf(registry, left);
  const b = baseTypeOf(registry, right);
  const isText = (oid: number): boolean => oid === OID.text || oid === OID.varchar;
  if (isText(a) && isText(b)) return { kind: 'text', ordered: false };
  if (INT_TYPES.has(a) && INT_TYPES.has(b)) return { kind: 'int' };
  const isExact = (oid: number): boolean => INT_TYPES.has(oid) || oid === OID.numeric;
  if (isExact(a) && isExact(b)) return { kind: 'numeric' };
  if (a !== b) return null;
  const type = valueType(registry, a, false);
  return type.kind === 'opaque' ? null : type;
}

const INT_RANGES: ReadonlyMap<number, bigint> = new Map([
  [OID.int2, 1n << 15n],
  [OID.int4, 1n << 31n],
  [OID.int8, 1n << 63n],
]);

/** Whether a whole number is a value of an integer type. */
export function fits(value: bigint, oid: number): boolean {
  const range = INT_RANGES.get(oid);
  return range !== undefined && value >= -range && value < range;
}
