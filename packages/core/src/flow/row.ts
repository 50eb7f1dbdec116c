import { equalityKey, type TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText, RowKey } from '../value.js';

/** A row of an input: of a table, or of the answer of a subquery. */
export interface Row {
  readonly key: RowKey;
  readonly values: readonly PgText[];
  /** Of a tallied source: how many rows of the table it stands for. It has no key then. */
  readonly times?: number;
}

/** What one transaction did to one row of an input. */
export interface RowChange {
  readonly old: Row | null;
  readonly next: Row | null;
}

/** The same of a table, where values may be missing: TOAST that was not sent. Then there is no `next`. */
export interface TableChange extends RowChange {
  readonly partial?: readonly (PgText | undefined)[] | undefined;
}

/** The key under which rows are looked up: equal values of a type have equal keys; null finds nothing. */
export type KeyPart = (value: PgText) => string | null;

/** Equality as `=` has it: NULL equals nothing. */
export function equality(type: ValueType, rules: TypeRules): KeyPart {
  const key = equalityKey(type, rules);
  return (value) => (value === null ? null : framed(key(value)));
}

/** The same for a key of one value: nothing else is beside it that it could be mistaken with. */
export function equalityAlone(type: ValueType, rules: TypeRules): KeyPart {
  const key = equalityKey(type, rules);
  return (value) => (value === null ? null : key(value));
}

/** The value itself, NULL among them: for what is handed on as it is. */
export function identity(value: PgText): string {
  return value === null ? '-' : framed(value);
}

/** So that no two lists of texts make one key. */
export function framed(text: string): string {
  return `${text.length}:${text}`;
}

export function keyOf(
  parts: readonly KeyPart[],
  columns: readonly number[],
  values: readonly PgText[],
): string | null {
  let key = '';
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]?.(values[columns[at] ?? -1] ?? null) ?? null;
    if (part === null) return null;
    key += part;
  }
  return key;
}

export function same(left: readonly PgText[], right: readonly PgText[]): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at]);
}

/** A row that came, went or changed between two stages; `old` is what was handed on before. */
export interface Change {
  readonly key: string;
  readonly old: readonly PgText[] | null;
  readonly next: readonly PgText[] | null;
  /** That many equal ones, of a tally: without keys. 1 unless given. */
  readonly times?: number;
}
