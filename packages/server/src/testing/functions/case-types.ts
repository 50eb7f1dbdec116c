import type { ValueType } from '@sluice/core/plan';

// The types that functions are called with in tests.

export const ORDERED_TEXT: ValueType = { kind: 'text', ordered: true };
export const TEXT: ValueType = { kind: 'text', ordered: false };
export const CHAR: ValueType = { kind: 'char', ordered: true };
type Element =
  | 'integer'
  | 'numeric'
  | 'text'
  | 'timestamp with time zone'
  | 'timestamp without time zone'
  | 'double precision'
  | 'boolean'
  | 'date'
  | 'bigint';

export const kinds: Readonly<Record<Element, ValueType>> = {
  integer: { kind: 'int' },
  numeric: { kind: 'numeric' },
  text: ORDERED_TEXT,
  'timestamp with time zone': { kind: 'timestamptz' },
  'timestamp without time zone': { kind: 'timestamp' },
  'double precision': { kind: 'float' },
  boolean: { kind: 'bool' },
  date: { kind: 'date' },
  bigint: { kind: 'int' },
};

export const array = (element: ValueType): ValueType => ({ kind: 'array', element });
export type Canonical = 'int4' | 'int8' | 'date';
export const range = (element: ValueType, canonical?: Canonical): ValueType => ({
  kind: 'range',
  element,
  ...(canonical === undefined ? {} : { canonical }),
});
export const multirange = (element: ValueType, canonical?: Canonical): ValueType => ({
  ...range(element, canonical),
  kind: 'multirange',
  element,
});
