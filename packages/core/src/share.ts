import { setOwn } from './json.js';

/** Deeper values are not compared: JSON may be nested deeper than the call stack. */
const DEPTH_MAX = 50;

/**
 * The new value with every part that equals the old one's replaced by it; the old value itself when all of it does. So
 * whoever compares by identity sees what has changed and no more.
 * @param after decoded just now: nobody else holds it, and parts of it are exchanged in place
 */
export function share<T>(before: unknown, after: T, depth: number = 0): T {
  if (Object.is(before, after) || !isObject(before) || !isObject(after) || depth > DEPTH_MAX) return after;
  if (Object.getPrototypeOf(before) !== Object.getPrototypeOf(after)) return after;
  if (after instanceof Date) return Object.is(Number(before), Number(after)) ? (before as T) : after;
  if ('lowerBounds' in before || 'lowerBounds' in after) return after;
  const names = Object.keys(after);
  const old = Object.keys(before);
  let same = names.length === old.length;
  for (const [index, name] of names.entries()) {
    const part = Object.hasOwn(before, name) ? share(before[name], after[name], depth + 1) : after[name];
    if (part !== after[name]) setOwn(after, name, part);
    same &&= name === old[index] && Object.is(part, before[name]);
  }
  return same ? (before as T) : after;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
