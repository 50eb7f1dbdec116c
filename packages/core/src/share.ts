import { setOwn } from './json.js';

/** Deeper values are not compared: JSON may be nested deeper than the call stack. */
const DEPTH_MAX = 50;

/** Elements of a list are looked for by what they hold down to here. */
const PRINT_DEPTH_MAX = 8;

/**
 * The new value with every part that equals the old one's replaced by it; the old value itself when all of it does. So
 * whoever compares by identity sees what has changed and no more. The elements of a list stay who they are when others
 * come, go or change places around them.
 * @param after decoded just now: nobody else holds it, and parts of it are exchanged in place
 */
export function share<T>(before: unknown, after: T, depth: number = 0): T {
  if (Object.is(before, after) || depth > DEPTH_MAX || !alike(before, after)) return after;
  const same =
    after instanceof Date
      ? equal(before, after, depth)
      : Array.isArray(after)
        ? shareList(before as never, after, depth + 1)
        : shareMembers(before, after as never, depth + 1);
  return same ? (before as T) : after;
}

/** @returns whether all of it is the old one's. */
function shareMembers(before: Parts, after: Parts, depth: number): boolean {
  const names = Object.keys(after);
  const old = Object.keys(before);
  let same = names.length === old.length;
  for (const [index, name] of names.entries()) {
    const part = Object.hasOwn(before, name) ? share(before[name], after[name], depth) : after[name];
    if (part !== after[name]) setOwn(after, name, part);
    same &&= name === old[index] && Object.is(part, before[name]);
  }
  return same;
}

/**
 * What both lists begin and end with is taken from the old one; between, the elements that it has, too, wherever they
 * are; and what is left is compared with the one that stood there.
 */
function shareList(before: readonly unknown[], after: unknown[], depth: number): boolean {
  const most = Math.min(before.length, after.length);
  const takes = (at: number, from: number): boolean => {
    const same = equal(before[from], after[at], depth);
    if (same) after[at] = before[from];
    return same;
  };
  let start = 0;
  while (start < most && takes(start, start)) start++;
  const longer = before.length - after.length;
  let end = after.length;
  while (end > start && end + longer > start && takes(end - 1, end - 1 + longer)) end--;
  if (start < end && start < end + longer)
    shareBetween(before.slice(start, end + longer), after, start, end, depth);
  return longer === 0 && start === end;
}

function shareBetween(
  before: readonly unknown[],
  after: unknown[],
  start: number,
  end: number,
  depth: number,
): void {
  const left = new Set(before.keys());
  const places: number[] = [];
  const takes = (at: number, place = -1): boolean => {
    const taken = left.has(place) && equal(before[place], after[at], depth);
    if (taken) {
      left.delete(place);
      places[at] = place;
    }
    return taken;
  };
  // Most stand as far from one of the ends as they stood: the others are looked for.
  const lost: number[] = [];
  for (let at = start; at < end; at++) {
    if (!takes(at, at - start) && !takes(at, at - end + before.length)) lost.push(at);
  }
  const byPrint = new Map<string, number[]>();
  for (const place of left) {
    const print = printOf(before[place]);
    const held = byPrint.get(print);
    if (held) held.push(place);
    else byPrint.set(print, [place]);
  }
  for (const at of lost) takes(at, byPrint.get(printOf(after[at]))?.shift());
  let previous = -1;
  for (let at = start; at < end; at++) {
    const place = places[at];
    previous = place ?? previous + 1;
    if (place !== undefined) after[at] = before[place];
    else if (left.delete(previous)) after[at] = share(before[previous], after[at], depth);
  }
}

type Parts = Record<string, unknown>;

function equal(before: unknown, after: unknown, depth: number): boolean {
  if (Object.is(before, after)) return true;
  if (depth > DEPTH_MAX || !alike(before, after)) return false;
  if (after instanceof Date) return Object.is(Number(before), Number(after));
  const old = Object.keys(before);
  const parts = after as Parts;
  const names = Object.keys(parts);
  return (
    names.length === old.length &&
    names.every((name, index) => name === old[index] && equal(before[name], parts[name], depth + 1))
  );
}

/** Whether they are of one kind, and have parts to compare. */
function alike(before: unknown, after: unknown): before is Parts {
  return (
    isObject(before) &&
    isObject(after) &&
    Object.getPrototypeOf(before) === Object.getPrototypeOf(after) &&
    !('lowerBounds' in before || 'lowerBounds' in after)
  );
}

/** The same for elements that are equal; seldom for others. */
function printOf(value: unknown, depth: number = 0): string {
  if (!isObject(value) || ArrayBuffer.isView(value)) return String(value);
  if (value instanceof Date) return String(Number(value));
  if (depth > PRINT_DEPTH_MAX) return '';
  return `{${Object.keys(value).map((name) => `${name}:${printOf(value[name], depth + 1)}`)}}`;
}

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null;
}
