import { must } from '../assert.js';
import { comparator, equalityKey, type TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { arrayComparator, EMPTY_ARRAY, parseArray, printArray, type ArrayValue } from './array-value.js';
import { notReproduced, raise } from './errors.js';
import { isOrdered } from './ordered.js';
import { loose, stable, strict, typed, typedComparisons, typedTests, type Family } from './registry.js';

const TOO_MANY_DIMENSIONS = '0A000';
const DATA_EXCEPTION = '22000';
const SUBSCRIPT_ERROR = '2202E';
const INDEX_MAX = 2 ** 31 - 1;

function elementType(type: ValueType | undefined): ValueType {
  const element = type?.kind === 'array' ? type.element : undefined;
  return element === undefined || element.kind === 'opaque' || element.kind === 'json'
    ? notReproduced('arrays of this type')
    : element;
}

function elementKey([type]: readonly ValueType[], rules: TypeRules): (element: string) => string {
  return equalityKey(elementType(type), rules);
}

function comparing([type]: readonly ValueType[], rules: TypeRules): (left: string, right: string) => number {
  const element = elementType(type);
  if (!isOrdered(element)) notReproduced('the order of these elements');
  return arrayComparator(comparator(element, rules));
}

/** Equal when nothing differs: elements, dimensions, first indexes. */
function equality(types: readonly ValueType[], rules: TypeRules): (left: string, right: string) => boolean {
  const key = elementKey(types, rules);
  return (left, right) => {
    if (left === right) return true;
    const a = parseArray(left);
    const b = parseArray(right);
    if (String([a.lengths, a.firsts]) !== String([b.lengths, b.firsts])) return false;
    return a.elements.every((element, index) => {
      const other = b.elements[index] ?? null;
      return element === null || other === null ? element === other : key(element) === key(other);
    });
  };
}

/** A null element equals nothing. */
function containing(types: readonly ValueType[], rules: TypeRules): (left: string, right: string) => boolean {
  const key = elementKey(types, rules);
  return (left, right) => {
    const held = keysOf(left, key);
    return parseArray(right).elements.every((element) => element !== null && held.has(key(element)));
  };
}

function overlapping(
  types: readonly ValueType[],
  rules: TypeRules,
): (left: string, right: string) => boolean {
  const key = elementKey(types, rules);
  return (left, right) => {
    const held = keysOf(left, key);
    return parseArray(right).elements.some((element) => element !== null && held.has(key(element)));
  };
}

function keysOf(text: string, key: (element: string) => string): Set<string> {
  return new Set(parseArray(text).elements.flatMap((element) => (element === null ? [] : [key(element)])));
}

function list(elements: readonly PgText[], first: number = 1): string {
  return printArray({ lengths: [elements.length], firsts: [first], elements });
}

/** A level's number, from 1; null beyond the array's dimensions. */
function dimension(text: string, level: string, of: (value: ArrayValue, level: number) => number): PgText {
  const value = parseArray(text);
  const index = Number(level) - 1;
  return index < 0 || index >= value.lengths.length ? null : String(of(value, index));
}

function append(text: PgText, element: PgText, atEnd: boolean): string {
  const value = text === null ? EMPTY_ARRAY : parseArray(text);
  if (value.lengths.length > 1) raise(DATA_EXCEPTION);
  const first = value.firsts[0] ?? 1;
  if (first + value.elements.length > INDEX_MAX) notReproduced('indexes this large');
  const elements = atEnd ? [...value.elements, element] : [element, ...value.elements];
  return list(elements, first);
}

function concatenate(left: PgText, right: PgText): PgText {
  if (left === null || right === null) return left ?? right;
  const a = parseArray(left);
  const b = parseArray(right);
  if (b.elements.length === 0) return left;
  if (a.elements.length === 0) return right;
  if (a.lengths.length !== 1 || b.lengths.length !== 1)
    notReproduced('arrays of several dimensions put together');
  return list([...a.elements, ...b.elements], must(a.firsts[0], 'a first index'));
}

function subscript(text: string, ...indexes: string[]): PgText {
  const { lengths, firsts, elements } = parseArray(text);
  if (indexes.length !== lengths.length) return null;
  let at = 0;
  for (const [level, length] of lengths.entries()) {
    const offset = Number(indexes[level]) - (firsts[level] ?? 1);
    if (offset < 0 || offset >= length) return null;
    at = at * length + offset;
  }
  return elements[at] ?? null;
}

/** Asked for when it is needed: types without equality are an error of the call. */
type Keying = () => (element: string) => string;

const keyed =
  (of: Parameters<typeof elementKey>): Keying =>
  () =>
    elementKey(...of);

/** Where an element is, nulls being equal to each other here. */
function positions(keying: Keying, text: string, wanted: PgText, from: number): number[] {
  const key = keying();
  const { lengths, firsts, elements } = parseArray(text);
  if (lengths.length > 1) raise(TOO_MANY_DIMENSIONS);
  const wantedKey = wanted === null ? null : key(wanted);
  return elements.flatMap((element, index) => {
    const position = index + (firsts[0] ?? 1);
    const found = (element === null ? null : key(element)) === wantedKey;
    return found && position >= from ? [position] : [];
  });
}

function position(keying: Keying, text: PgText, wanted: PgText, from: number): PgText {
  if (text === null) return null;
  const [first] = positions(keying, text, wanted, from);
  return first === undefined ? null : String(first);
}

function without(keying: Keying, text: PgText, unwanted: PgText): PgText {
  if (text === null) return null;
  const key = keying();
  const { lengths, firsts, elements } = parseArray(text);
  if (lengths.length > 1) raise(TOO_MANY_DIMENSIONS);
  const unwantedKey = unwanted === null ? null : key(unwanted);
  const rest = elements.filter((element) => (element === null ? null : key(element)) !== unwantedKey);
  return list(rest, firsts[0]);
}

function replaced(keying: Keying, text: PgText, from: PgText, to: PgText): PgText {
  if (text === null) return null;
  const key = keying();
  const fromKey = from === null ? null : key(from);
  const value = parseArray(text);
  const elements = value.elements.map((element) =>
    (element === null ? null : key(element)) === fromKey ? to : element,
  );
  return printArray({ ...value, elements });
}

function joined([type]: readonly ValueType[], text: PgText, separator: PgText, forNull: PgText): PgText {
  elementType(type);
  if (text === null || separator === null) return null;
  const elements = parseArray(text).elements.map((element) => element ?? forNull);
  return elements.filter((element) => element !== null).join(separator);
}

/** Without a separator, character by character. */
function split(text: PgText, separator: PgText, asNull: PgText): PgText {
  if (text === null) return null;
  if (text === '') return '{}';
  const parts = separator === null ? Array.from(text) : separator === '' ? [text] : text.split(separator);
  return list(parts.map((part) => (part === asNull ? null : part)));
}

function dimensions(text: string): PgText {
  const { lengths, firsts } = parseArray(text);
  if (lengths.length === 0) return null;
  return lengths.map((length, level) => `[${firsts[level]}:${(firsts[level] ?? 1) + length - 1}]`).join('');
}

function trimmed(text: string, countText: string): string {
  const value = parseArray(text);
  const count = Number(countText);
  const [length = 0] = value.lengths;
  if (count < 0 || count > length) raise(SUBSCRIPT_ERROR);
  if (value.lengths.length > 1) notReproduced('an array of several dimensions cut short');
  return list(value.elements.slice(0, length - count));
}

export const FUNCTIONS: Family = {
  ...typedComparisons('array_', comparing),
  ...typedTests({
    array_eq: equality,
    array_ne: (...of) => {
      const equal = equality(...of);
      return (a, b) => !equal(a, b);
    },
    arraycontains: containing,
    arraycontained: (...of) => {
      const contains = containing(...of);
      return (a, b) => contains(b, a);
    },
    arrayoverlap: overlapping,
  }),
  ...strict('int4', {
    array_length: (text, level) => dimension(text, level, (value, index) => value.lengths[index] ?? 0),
    array_lower: (text, level) => dimension(text, level, (value, index) => value.firsts[index] ?? 1),
    array_upper: (text, level) =>
      dimension(text, level, (value, index) => (value.firsts[index] ?? 1) + (value.lengths[index] ?? 0) - 1),
    array_ndims: (text) => {
      const { lengths } = parseArray(text);
      return lengths.length === 0 ? null : String(lengths.length);
    },
    array_cardinality: (text) => String(parseArray(text).elements.length),
  }),
  ...strict('text', { array_dims: dimensions }),
  ...strict('anyelement', { array_subscript_handler: subscript }),
  ...strict('anyarray', { trim_array: trimmed }),
  ...loose('anyarray', {
    array_append: () => (text, element) => append(text ?? null, element ?? null, true),
    array_prepend: () => (element, text) => append(text ?? null, element ?? null, false),
    array_cat: () => (left, right) => concatenate(left ?? null, right ?? null),
    array_remove:
      (...of) =>
      (text, unwanted) =>
        without(keyed(of), text ?? null, unwanted ?? null),
    array_replace:
      (...of) =>
      (text, from, to) =>
        replaced(keyed(of), text ?? null, from ?? null, to ?? null),
  }),
  ...loose('int4', {
    array_position:
      (...of) =>
      (text, wanted) =>
        position(keyed(of), text ?? null, wanted ?? null, -Infinity),
    array_position_start:
      (...of) =>
      (text, wanted, from) =>
        from === null && text !== null
          ? notReproduced('a search from nowhere')
          : position(keyed(of), text ?? null, wanted ?? null, Number(from)),
    array_positions:
      (...of) =>
      (text, wanted) =>
        text === null ? null : list(positions(keyed(of), text ?? '', wanted ?? null, -Infinity).map(String)),
  }),
  ...loose('text', {
    text_to_array: () => (text, separator) => split(text ?? null, separator ?? null, null),
    text_to_array_null: () => (text, separator, asNull) =>
      split(text ?? null, separator ?? null, asNull ?? null),
  }),
  ...stable({
    ...typed('text', {
      array_to_text: (types) => (text, separator) => joined(types, text, separator, null),
    }),
    ...loose('text', {
      array_to_text_null: (types) => (text, separator, forNull) =>
        joined(types, text ?? null, separator ?? null, forNull ?? null),
    }),
  }),
};
