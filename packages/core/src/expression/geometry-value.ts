import { OUT_OF_RANGE, notReproduced, raise } from './errors.js';
import { printDouble } from './float-text.js';

/*
 * Points, boxes and circles are printed as the numbers that they are made of, each as float8 prints it:
 * `(1,2)`, `(3,4),(1,2)`, `<(1,2),3>`. Most comparisons of Postgres take numbers for equal that differ by a
 * millionth at most. (geo_decls.h)
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** By its upper right and its lower left corner. */
export interface Box {
  readonly high: Point;
  readonly low: Point;
}

export interface Circle {
  readonly center: Point;
  readonly radius: number;
}

const EPSILON = 1e-6;

export function isSame(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= EPSILON;
}

export function isLess(a: number, b: number): boolean {
  return a + EPSILON < b;
}

export function isAtMost(a: number, b: number): boolean {
  return a <= b + EPSILON;
}

export function isMore(a: number, b: number): boolean {
  return a > b + EPSILON;
}

export function isAtLeast(a: number, b: number): boolean {
  return a + EPSILON >= b;
}

/** NaN is what it is to float8: the greatest, and equal to itself. */
export function isGreater(a: number, b: number): boolean {
  return Number.isNaN(a) ? !Number.isNaN(b) : a > b;
}

function isExactly(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

export function isSamePoint(a: Point, b: Point): boolean {
  if ([a.x, a.y, b.x, b.y].some(Number.isNaN)) return isExactly(a.x, b.x) && isExactly(a.y, b.y);
  return isSame(a.x, b.x) && isSame(a.y, b.y);
}

/** As float8 computes. @throws PgError where it overflows */
export function plus(a: number, b: number): number {
  return bounded(a + b, a, b);
}

export function minus(a: number, b: number): number {
  return bounded(a - b, a, b);
}

export function times(a: number, b: number): number {
  const product = bounded(a * b, a, b);
  return product === 0 && a !== 0 && b !== 0 ? raise(OUT_OF_RANGE) : product;
}

/** @throws PgError where nothing is left of it */
export function half(value: number): number {
  return value / 2 === 0 && value !== 0 ? raise(OUT_OF_RANGE) : value / 2;
}

function bounded(value: number, a: number, b: number): number {
  const overflows = Math.abs(value) === Infinity && Number.isFinite(a) && Number.isFinite(b);
  return overflows ? raise(OUT_OF_RANGE) : value;
}

function numbers(text: string, count: number): readonly number[] {
  const found = text.match(/[^(),<>]+/g)?.map(Number) ?? [];
  return found.length === count ? found : notReproduced('this form of a point, a box or a circle');
}

export function readPoint(text: string): Point {
  const [x = 0, y = 0] = numbers(text, 2);
  return { x, y };
}

export function readBox(text: string): Box {
  const [x = 0, y = 0, lowX = 0, lowY = 0] = numbers(text, 4);
  return { high: { x, y }, low: { x: lowX, y: lowY } };
}

export function readCircle(text: string): Circle {
  const [x = 0, y = 0, radius = 0] = numbers(text, 3);
  return { center: { x, y }, radius };
}

export function printPoint({ x, y }: Point): string {
  return `(${printDouble(x)},${printDouble(y)})`;
}

export function printBox({ high, low }: Box): string {
  return `${printPoint(high)},${printPoint(low)}`;
}

export function printCircle({ center, radius }: Circle): string {
  return `<${printPoint(center)},${printDouble(radius)}>`;
}
