import type { PgText } from '../value.js';
import { notReproduced } from './errors.js';

/** An array of Postgres: any number of dimensions, each with its own first index. */
export interface ArrayValue {
  /** Empty for the empty array. */
  readonly lengths: readonly number[];
  readonly firsts: readonly number[];
  /** Row by row. */
  readonly elements: readonly PgText[];
}

export const EMPTY_ARRAY: ArrayValue = { lengths: [], firsts: [], elements: [] };

/** (Postgres manual, "Array Input and Output Syntax") */
export function parseArray(text: string): ArrayValue {
  const body = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  if (text[body] !== '{') notReproduced('text that is no array');
  const firsts = [...text.slice(0, body).matchAll(/\[(-?\d+):/g)].map(([, first]) => Number(first));
  const elements: PgText[] = [];
  const counts: number[][] = [];
  let depth = 0;
  for (let at = body; at < text.length;) {
    const char = text[at];
    if (char === '{') {
      depth++;
      (counts[depth - 1] ??= []).push(0);
      at++;
    } else if (char === '}') {
      depth--;
      if (depth > 0) increase(counts[depth - 1]);
      at++;
    } else if (char === ',') at++;
    else {
      const [value, end] = readElement(text, at);
      elements.push(value);
      increase(counts[depth - 1]);
      at = end;
    }
  }
  if (elements.length === 0) return EMPTY_ARRAY;
  const lengths = counts.map((level) => level[0] ?? 0);
  return { lengths, firsts: lengths.map((_length, level) => firsts[level] ?? 1), elements };
}

function increase(counts: number[] | undefined): void {
  if (counts) counts.push((counts.pop() ?? 0) + 1);
}

function readElement(text: string, from: number): readonly [PgText, number] {
  let at = from;
  if (text[at] !== '"') {
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at++;
    const bare = text.slice(from, at);
    return [bare === 'NULL' ? null : bare, at];
  }
  for (at++; at < text.length && text[at] !== '"';) at += text[at] === '\\' ? 2 : 1;
  return [text.slice(from + 1, at).replace(/\\(.)/gs, '$1'), at + 1];
}

/** What must stand in quotes: what would end an element, or be trimmed, or read as something else. */
const QUOTED = /^$|^null$|[{},"\\ \t\n\v\f\r]/i;

export function printArray({ lengths, firsts, elements }: ArrayValue): string {
  if (elements.length === 0) return '{}';
  const bounds = firsts.every((first) => first === 1)
    ? ''
    : `${firsts.map((first, level) => `[${first}:${first + (lengths[level] ?? 0) - 1}]`).join('')}=`;
  return bounds + printLevel(lengths, elements);
}

function printLevel(lengths: readonly number[], elements: readonly PgText[]): string {
  const [length = 0, ...inner] = lengths;
  if (inner.length === 0) return `{${elements.map(printElement).join(',')}}`;
  const size = elements.length / length;
  const parts = Array.from({ length }, (_part, index) =>
    printLevel(inner, elements.slice(index * size, (index + 1) * size)),
  );
  return `{${parts.join(',')}}`;
}

function printElement(element: PgText): string {
  if (element === null) return 'NULL';
  return QUOTED.test(element) ? `"${element.replace(/["\\]/g, '\\$&')}"` : element;
}

/** Element by element, nulls last; then by length, dimensions and first indexes. (arrayfuncs.c, `array_cmp`) */
export function arrayComparator(
  compare: (left: string, right: string) => number,
): (left: string, right: string) => number {
  return (left, right) => {
    if (left === right) return 0;
    const a = parseArray(left);
    const b = parseArray(right);
    const shared = Math.min(a.elements.length, b.elements.length);
    for (let index = 0; index < shared; index++) {
      const order = compareElements(a.elements[index] ?? null, b.elements[index] ?? null, compare);
      if (order !== 0) return order;
    }
    return (
      a.elements.length - b.elements.length ||
      a.lengths.length - b.lengths.length ||
      compareNumbers(a.lengths, b.lengths) ||
      compareNumbers(a.firsts, b.firsts)
    );
  };
}

function compareElements(a: PgText, b: PgText, compare: (left: string, right: string) => number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return compare(a, b);
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] ?? 0)).find((order) => order !== 0) ?? 0;
}

/** Text that is the same for equal arrays. */
export function arrayKey(key: (element: string) => string): (text: string) => string {
  return (text) => {
    const value = parseArray(text);
    return printArray({
      ...value,
      elements: value.elements.map((element) => (element === null ? null : key(element))),
    });
  };
}
