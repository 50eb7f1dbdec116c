import type { ValueType } from '@sluice/core/plan';
import type { Facts, TypeFact } from './facts.js';
import type { Scalar, ScalarOf } from './query-tree.js';

/** 705 are literals of no type, as VARIADIC "any" takes them: for text. */
const TEXTS: ReadonlySet<number> = new Set([19, 25, 705, 1043]);
const CHAR = 1042;

const KINDS: ReadonlyMap<
  number,
  Exclude<ValueType['kind'], 'text' | 'char' | 'enum' | 'array' | 'range' | 'multirange' | 'row' | 'opaque'>
> = new Map([
  [16, 'bool'],
  [17, 'bytea'],
  [20, 'int'],
  [21, 'int'],
  [23, 'int'],
  [26, 'int'],
  [114, 'json'],
  [700, 'float'],
  [701, 'float'],
  [774, 'mac'],
  [829, 'mac'],
  [869, 'inet'],
  [1082, 'date'],
  [1083, 'time'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1186, 'interval'],
  [1266, 'timetz'],
  [1700, 'numeric'],
  [1560, 'bits'],
  [1562, 'bits'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
]);

/** What gives ranges of Postgres's own types their form. */
const CANONICAL: Readonly<Record<string, 'int4' | 'int8' | 'date'>> = {
  int4range_canonical: 'int4',
  int8range_canonical: 'int8',
  daterange_canonical: 'date',
};

/** What the engine makes of a type; domains are what they are made of. @param collation by which it is compared. */
export function valueTypeOf(oid: number, collation: number, facts: Facts): ValueType {
  const ordered = facts.collations.get(collation)?.bytewise ?? false;
  const fact = facts.types.get(oid);
  const kind = KINDS.get(oid);
  if (kind !== undefined) return { kind };
  if (TEXTS.has(oid)) return { kind: 'text', ordered };
  if (oid === CHAR) return { kind: 'char', ordered };
  if (fact === undefined) return { kind: 'opaque' };
  if (fact.base !== null) return valueTypeOf(fact.base, collation, facts);
  if (fact.ordered !== null) return { kind: 'enum', labels: fact.ordered };
  if (fact.element !== null) return { kind: 'array', element: valueTypeOf(fact.element, collation, facts) };
  if (fact.kind === 'r' && fact.subtype !== null)
    return {
      kind: 'range',
      element: valueTypeOf(fact.subtype, collation, facts),
      ...(fact.canonical === null ? {} : { canonical: CANONICAL[fact.canonical] ?? 'other' }),
    };
  if (fact.range !== null) {
    const range = valueTypeOf(fact.range, collation, facts);
    return range.kind === 'range' ? { ...range, kind: 'multirange' } : { kind: 'opaque' };
  }
  return { kind: 'opaque' };
}

/** The same of an expression, which may be a row whose fields are known. */
export function typeOfScalar(scalar: Scalar, collation: number, facts: Facts): ValueType {
  if (scalar.kind === 'row') return rowTypeOf(scalar, facts) ?? { kind: 'opaque' };
  const [arm] = scalar.kind === 'case' ? scalar.arms : [];
  if (arm?.result.kind === 'row') return typeOfScalar(arm.result, collation, facts);
  return valueTypeOf(scalar.type.oid, collation, facts);
}

/** By the names that it was given; of a named type, those of the type. */
function rowTypeOf({ fields, names, type }: ScalarOf<'row'>, facts: Facts): ValueType | null {
  const named = Object.values(facts.types.get(type.oid)?.fields ?? {});
  const [given] = [names, named].filter(({ length }) => length === fields.length);
  if (given === undefined) return null;
  return {
    kind: 'row',
    fields: fields.map((field, at) => ({
      name: given[at] ?? '',
      type: typeOfScalar(field, field.type.collation, facts),
    })),
  };
}

/** The type below a domain, all the way down. */
export function baseOf(oid: number, facts: Facts): TypeFact | undefined {
  const fact = facts.types.get(oid);
  return fact?.base === undefined || fact.base === null ? fact : baseOf(fact.base, facts);
}

/** Whether values of two types that have the same bytes are printed the same: not so for oid and regclass, or inet and cidr. */
export function printsAlike(one: number, other: number, facts: Facts): boolean {
  const [a, b] = [baseOf(one, facts), baseOf(other, facts)];
  if (a === undefined || b === undefined) return false;
  if (a.element !== null && b.element !== null) return printsAlike(a.element, b.element, facts);
  return a.output === b.output || ALIKE.some((outputs) => outputs.has(a.output) && outputs.has(b.output));
}

const ALIKE: readonly ReadonlySet<string>[] = [
  new Set(['textout', 'varcharout', 'bpcharout']),
  new Set(['bit_out', 'varbit_out']),
];
