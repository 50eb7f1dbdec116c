import { longestRun } from './longest-run.js';
import type { Splice } from '../wire.js';

/*
 * How one text became another, in time linear in their lengths. What both begin and end with is cut off; mostly that
 * leaves a few characters, and no more is done:
 *
 *   [{"id": 1, …}, {"id": 2, …}, ……… {"id": 1000, …}                    ]
 *   [{"id": 1, …}, {"id": 2, …}, ……… {"id": 1000, …}, {"id": 1001, …}   ]      [93012, 0, ", {\"id\": 1001, …}"]
 *
 * Where two changes lie far apart, what is between them is cut into pieces (at the ends of objects, arrays and lines;
 * then at commas and spaces), and pieces that occur once in each text hold the two together, in a longest run that
 * keeps its order (patience diff). What lies between such pieces is compared in the same way. Nothing here knows JSON:
 * a piece that ends within a string is as good as any.
 */
const PIECES = [/[^}\]\n]*[}\]\n]|[^}\]\n]+$/g, /[^,\s]*[,\s]|[^,\s]+$/g] as const;

/** A shorter stretch is not worth cutting into pieces. */
const STRETCH_MIN = 64;

/** Longer texts are only compared from their two ends. */
const STRETCH_MAX = 4 * 1024 * 1024;

/** Prefixes are compared by so many characters at once. */
const BLOCK = 1024;

/** What makes `after` of `before`: none when they are equal. As few characters as can be found cheaply, not the fewest. */
export function splicesBetween(before: string, after: string): Splice[] {
  const splices: Splice[] = [];
  compare(before, after, 0, 0, splices);
  return splices;
}

/** @param offset where `before` stands in the whole text */
function compare(before: string, after: string, offset: number, level: number, splices: Splice[]): void {
  const start = commonStart(before, after);
  const end = commonEnd(before, after, start);
  const removed = before.slice(start, before.length - end);
  const inserted = after.slice(start, after.length - end);
  if (removed === '' && inserted === '') return;
  const pieces = PIECES[level];
  const shorter = Math.min(removed.length, inserted.length);
  const longer = Math.max(removed.length, inserted.length);
  if (pieces === undefined || shorter < STRETCH_MIN || longer > STRETCH_MAX)
    splices.push([offset + start, removed.length, inserted]);
  else compareBetween(removed, inserted, offset + start, level, pieces, splices);
}

function compareBetween(
  before: string,
  after: string,
  offset: number,
  level: number,
  pieces: RegExp,
  splices: Splice[],
): void {
  const old = piecesOf(before, pieces);
  const fresh = [...piecesOf(after, pieces)];
  const places = fresh.map(([piece, place]) => (place < 0 ? -1 : (old.get(piece) ?? -1)));
  let [fromBefore, fromAfter] = [0, 0];
  const gap = (toBefore: number, toAfter: number): void => {
    const [left, right] = [before.slice(fromBefore, toBefore), after.slice(fromAfter, toAfter)];
    compare(left, right, offset + fromBefore, level + 1, splices);
  };
  const run = longestRun(places);
  for (const [index, [piece, place]] of fresh.entries()) {
    const held = places[index];
    if (held === undefined || !run.has(index)) continue;
    gap(held, place);
    fromBefore = held + piece.length;
    fromAfter = place + piece.length;
  }
  gap(before.length, after.length);
}

/** Where each piece stands; −1 when it occurs again. In order of first occurrence. */
function piecesOf(text: string, pieces: RegExp): Map<string, number> {
  const places = new Map<string, number>();
  let at = 0;
  for (const piece of text.match(pieces) ?? []) {
    places.set(piece, places.has(piece) ? -1 : at);
    at += piece.length;
  }
  return places;
}

function commonStart(before: string, after: string): number {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start + BLOCK <= most && before.slice(start, start + BLOCK) === after.slice(start, start + BLOCK))
    start += BLOCK;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  return start > 0 && isFirstHalf(before.charCodeAt(start - 1)) ? start - 1 : start;
}

function commonEnd(before: string, after: string, start: number): number {
  const most = Math.min(before.length, after.length) - start;
  const endsWith = (end: number): boolean =>
    before.slice(before.length - end - BLOCK, before.length - end) ===
    after.slice(after.length - end - BLOCK, after.length - end);
  let end = 0;
  while (end + BLOCK <= most && endsWith(end)) end += BLOCK;
  while (
    end < most &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  )
    end++;
  return end > 0 && isSecondHalf(before.charCodeAt(before.length - end)) ? end - 1 : end;
}

/** Of a surrogate pair. */
function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
