import { must, unreachable } from '../assert.js';
import type { Binding, Operand, Predicate, ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { parseArrayElements } from './array-text.js';
import { comparator, equalityKey, type TypeRules } from './compare.js';

/** True, false, or null for unknown. (Postgres manual, "Logical Operators".) */
export type Truth = boolean | null;

/** A binding with its array parameters taken apart once. */
export interface PreparedBinding {
  readonly values: Binding;
  /** By parameter index: the elements of an array parameter, as equality keys; null when the array is null. */
  readonly arrays: ReadonlyMap<number, ArraySet | null>;
}

export interface ArraySet {
  readonly keys: ReadonlySet<string>;
  readonly hasNull: boolean;
  readonly empty: boolean;
}

export type Condition = (row: readonly PgText[], binding: PreparedBinding) => Truth;

export function compilePredicate(predicate: Predicate, rules: TypeRules): Condition {
  const compile = (part: Predicate): Condition => compilePredicate(part, rules);
  switch (predicate.op) {
    case 'true':
      return () => true;
    case 'and':
      return conjunction(predicate.args.map(compile));
    case 'or':
      return disjunction(predicate.args.map(compile));
    case 'not': {
      const arg = compile(predicate.arg);
      return (row, binding) => negate(arg(row, binding));
    }
    case 'any':
    case 'all_ne':
      return membership(predicate, rules);
    case 'is_null':
    case 'is_not_null': {
      const arg = operand(predicate.arg);
      const wanted = predicate.op === 'is_null';
      return (row, binding) => (arg(row, binding) === null) === wanted;
    }
    case 'bool': {
      const arg = operand(predicate.arg);
      return (row, binding) => {
        const value = arg(row, binding);
        return value === null ? null : value === 't' || value === 'true';
      };
    }
    case 'is': {
      const arg = compile(predicate.arg);
      return (row, binding) => (arg(row, binding) === predicate.value) !== predicate.negated;
    }
    default:
      return comparison(predicate, rules);
  }
}

function conjunction(args: readonly Condition[]): Condition {
  return (row, binding) => {
    let result: Truth = true;
    for (const arg of args) {
      const truth = arg(row, binding);
      if (truth === false) return false;
      if (truth === null) result = null;
    }
    return result;
  };
}

function disjunction(args: readonly Condition[]): Condition {
  return (row, binding) => {
    let result: Truth = false;
    for (const arg of args) {
      const truth = arg(row, binding);
      if (truth === true) return true;
      if (truth === null) result = null;
    }
    return result;
  };
}

function negate(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

type Comparison = Extract<Predicate, { left: Operand; right: Operand }>;

function comparison(predicate: Comparison, rules: TypeRules): Condition {
  const left = operand(predicate.left);
  const right = operand(predicate.right);
  const compare = comparator(predicate.type, rules);
  const decide = outcome(predicate.op);
  if (predicate.op === 'distinct' || predicate.op === 'not_distinct') {
    return (row, binding) => {
      const a = left(row, binding);
      const b = right(row, binding);
      return decide(a === null || b === null ? (a === b ? 0 : 1) : compare(a, b));
    };
  }
  return (row, binding) => {
    const a = left(row, binding);
    const b = right(row, binding);
    return a === null || b === null ? null : decide(compare(a, b));
  };
}

function outcome(op: Comparison['op']): (order: number) => boolean {
  switch (op) {
    case 'eq':
    case 'not_distinct':
      return (order) => order === 0;
    case 'ne':
    case 'distinct':
      return (order) => order !== 0;
    case 'lt':
      return (order) => order < 0;
    case 'le':
      return (order) => order <= 0;
    case 'gt':
      return (order) => order > 0;
    case 'ge':
      return (order) => order >= 0;
    default:
      return unreachable(op);
  }
}

function membership(predicate: Extract<Predicate, { array: number }>, rules: TypeRules): Condition {
  const left = operand(predicate.left);
  const key = equalityKey(predicate.type, rules);
  const negated = predicate.op === 'all_ne';
  return (row, binding) => {
    const truth = isMember(left(row, binding), binding.arrays.get(predicate.array) ?? null, key);
    return negated ? negate(truth) : truth;
  };
}

function isMember(value: PgText, set: ArraySet | null, key: (value: string) => string): Truth {
  if (set === null) return null;
  if (set.empty) return false;
  if (value === null) return null;
  if (set.keys.has(key(value))) return true;
  return set.hasNull ? null : false;
}

function operand(which: Operand): (row: readonly PgText[], binding: PreparedBinding) => PgText {
  if ('column' in which) {
    const column = which.column;
    return (row) => row[column] ?? null;
  }
  const param = which.param;
  return (_row, binding) => binding.values[param] ?? null;
}

/** Of all bindings that have none. */
const NO_ARRAYS: ReadonlyMap<number, ArraySet | null> = new Map();

/** Takes the arrays that a predicate reads apart. */
export function prepareBinding(predicate: Predicate, values: Binding, rules: TypeRules): PreparedBinding {
  const parameters = arrayParameters(predicate);
  if (parameters.length === 0) return { values, arrays: NO_ARRAYS };
  const arrays = new Map<number, ArraySet | null>();
  for (const { array, type } of parameters) {
    const text = values[array] ?? null;
    arrays.set(array, text === null ? null : arraySet(text, equalityKey(type, rules)));
  }
  return { values, arrays };
}

function arraySet(text: string, key: (value: string) => string): ArraySet {
  const keys = new Set<string>();
  let hasNull = false;
  const elements = parseArrayElements(text);
  for (const element of elements) {
    if (element === null) hasNull = true;
    else keys.add(key(element));
  }
  return { keys, hasNull, empty: elements.length === 0 };
}

function arrayParameters(predicate: Predicate): { array: number; type: ValueType }[] {
  switch (predicate.op) {
    case 'and':
    case 'or':
      return predicate.args.flatMap(arrayParameters);
    case 'not':
    case 'is':
      return arrayParameters(predicate.arg);
    case 'any':
    case 'all_ne':
      return [{ array: predicate.array, type: predicate.type }];
    default:
      return [];
  }
}

/** The columns that a predicate reads. */
export function predicateColumns(predicate: Predicate): Set<number> {
  const columns = new Set<number>();
  const visit = (node: Predicate): void => {
    if ('args' in node) node.args.forEach(visit);
    else if (node.op === 'not' || node.op === 'is') visit(node.arg);
    else {
      for (const field of ['left', 'right', 'arg'] as const) {
        const which = (node as Partial<Record<typeof field, Operand>>)[field];
        if (which !== undefined && 'column' in which) columns.add(which.column);
      }
    }
  };
  visit(predicate);
  return columns;
}

/**
 * How bindings are found from a row: by the equalities every match must satisfy. All `column = $n` conjuncts
 * together, else one `column = ANY($n)`, else nothing, and the binding is asked each time.
 */
export interface IndexPath {
  readonly columns: readonly { readonly column: number; readonly key: (value: string) => string }[];
  /** The index keys that a binding is found under; empty when it can match nothing; null when not indexable. */
  keysOf(binding: PreparedBinding): readonly string[];
  /** The index key of a row; null when it can match no indexed binding. */
  keyOf(row: readonly PgText[]): string | null;
}

export function indexPath(predicate: Predicate, rules: TypeRules): IndexPath | null {
  const conjuncts = predicate.op === 'and' ? flatten(predicate.args) : [predicate];
  const equalities = conjuncts.flatMap((conjunct) => asEquality(conjunct, rules));
  if (equalities.length > 0) return equalityPath(equalities);
  for (const conjunct of conjuncts) {
    if (conjunct.op === 'any' && 'column' in conjunct.left)
      return anyPath(conjunct.left.column, conjunct.array, equalityKey(conjunct.type, rules));
  }
  return null;
}

function flatten(args: readonly Predicate[]): Predicate[] {
  return args.flatMap((arg) => (arg.op === 'and' ? flatten(arg.args) : [arg]));
}

interface Equality {
  readonly column: number;
  readonly param: number;
  readonly key: (value: string) => string;
}

function asEquality(predicate: Predicate, rules: TypeRules): Equality[] {
  if (predicate.op !== 'eq') return [];
  const { left, right } = predicate;
  const key = equalityKey(predicate.type, rules);
  if ('column' in left && 'param' in right) return [{ column: left.column, param: right.param, key }];
  if ('param' in left && 'column' in right) return [{ column: right.column, param: left.param, key }];
  return [];
}

function equalityPath(equalities: readonly Equality[]): IndexPath {
  return {
    columns: equalities,
    keysOf: (binding) => {
      const key = compositeKey(
        equalities.map((equality) => keyed(binding.values[equality.param] ?? null, equality.key)),
      );
      return key === null ? [] : [key];
    },
    keyOf: (row) =>
      compositeKey(equalities.map((equality) => keyed(row[equality.column] ?? null, equality.key))),
  };
}

function anyPath(column: number, array: number, key: (value: string) => string): IndexPath {
  return {
    columns: [{ column, key }],
    keysOf: (binding) => [...(binding.arrays.get(array)?.keys ?? [])],
    keyOf: (row) => keyed(row[column] ?? null, key),
  };
}

function keyed(value: PgText, key: (value: string) => string): PgText {
  return value === null ? null : key(value);
}

/** One string for several values, unambiguous by lengths; null when one of them is. */
function compositeKey(values: readonly PgText[]): string | null {
  if (values.length === 1) return must(values, 'values')[0] ?? null;
  let result = '';
  for (const value of values) {
    if (value === null) return null;
    result += `${value.length}:${value}`;
  }
  return result;
}
