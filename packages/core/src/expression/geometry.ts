import { printDouble } from './float-text.js';
import {
  half,
  isAtLeast,
  isAtMost,
  isGreater,
  isLess,
  isMore,
  isSame,
  isSamePoint,
  minus,
  plus,
  printBox,
  printCircle,
  printPoint,
  readBox,
  readCircle,
  readPoint,
  times,
  type Box,
  type Circle,
  type Point,
} from './geometry-value.js';
import { strict, tests, type Family } from './registry.js';

/*
 * What multiplies and then adds (distances, areas compared with a tolerance) is not here: on some processors Postgres
 * does both at once and rounds once.
 */

const points = (test: (a: Point, b: Point) => boolean) => (a: string, b: string) =>
  test(readPoint(a), readPoint(b));
const boxes = (test: (a: Box, b: Box) => boolean) => (a: string, b: string) => test(readBox(a), readBox(b));
const circles = (test: (a: Circle, b: Circle) => boolean) => (a: string, b: string) =>
  test(readCircle(a), readCircle(b));

const left = ({ center, radius }: Circle): number => minus(center.x, radius);
const right = ({ center, radius }: Circle): number => plus(center.x, radius);
const bottom = ({ center, radius }: Circle): number => minus(center.y, radius);
const top = ({ center, radius }: Circle): number => plus(center.y, radius);

function overlap(a: Box, b: Box): boolean {
  return (
    isAtMost(a.low.x, b.high.x) &&
    isAtMost(b.low.x, a.high.x) &&
    isAtMost(a.low.y, b.high.y) &&
    isAtMost(b.low.y, a.high.y)
  );
}

function contains(a: Box, b: Box): boolean {
  return (
    isAtLeast(a.high.x, b.high.x) &&
    isAtMost(a.low.x, b.low.x) &&
    isAtLeast(a.high.y, b.high.y) &&
    isAtMost(a.low.y, b.low.y)
  );
}

/** To the digit. */
function holds({ high, low }: Box, { x, y }: Point): boolean {
  return high.x >= x && low.x <= x && high.y >= y && low.y <= y;
}

const add = (a: Point, b: Point): Point => ({ x: plus(a.x, b.x), y: plus(a.y, b.y) });
const subtract = (a: Point, b: Point): Point => ({ x: minus(a.x, b.x), y: minus(a.y, b.y) });
const greater = (a: number, b: number): number => (isGreater(a, b) ? a : b);
const lesser = (a: number, b: number): number => (isGreater(b, a) ? a : b);

function boxOf(a: Point, b: Point): Box {
  const [isRight, isAbove] = [isGreater(a.x, b.x), isGreater(a.y, b.y)];
  return {
    high: { x: isRight ? a.x : b.x, y: isAbove ? a.y : b.y },
    low: { x: isRight ? b.x : a.x, y: isAbove ? b.y : a.y },
  };
}

function bounding(a: Box, b: Box): Box {
  return {
    high: { x: greater(a.high.x, b.high.x), y: greater(a.high.y, b.high.y) },
    low: { x: lesser(a.low.x, b.low.x), y: lesser(a.low.y, b.low.y) },
  };
}

function intersection(left: string, right: string): string | null {
  const [a, b] = [readBox(left), readBox(right)];
  if (!overlap(a, b)) return null;
  return printBox({
    high: { x: lesser(a.high.x, b.high.x), y: lesser(a.high.y, b.high.y) },
    low: { x: greater(a.low.x, b.low.x), y: greater(a.low.y, b.low.y) },
  });
}

/** Each corner with a point. */
const moved = (change: (a: Point, b: Point) => Point) => (text: string, by: string) => {
  const { high, low } = readBox(text);
  const point = readPoint(by);
  return printBox({ high: change(high, point), low: change(low, point) });
};

const ofBox = (number: (box: Box) => number) => (text: string) => printDouble(number(readBox(text)));
const width = ({ high, low }: Box): number => minus(high.x, low.x);
const height = ({ high, low }: Box): number => minus(high.y, low.y);

export const GEOMETRY: Family = {
  ...tests({
    point_eq: points(isSamePoint),
    point_ne: points((a, b) => !isSamePoint(a, b)),
    point_left: points((a, b) => isLess(a.x, b.x)),
    point_right: points((a, b) => isMore(a.x, b.x)),
    point_above: points((a, b) => isMore(a.y, b.y)),
    point_below: points((a, b) => isLess(a.y, b.y)),
    point_vert: points((a, b) => isSame(a.x, b.x)),
    point_horiz: points((a, b) => isSame(a.y, b.y)),
    box_same: boxes((a, b) => isSamePoint(a.high, b.high) && isSamePoint(a.low, b.low)),
    box_overlap: boxes(overlap),
    box_contain: boxes(contains),
    box_contained: boxes((a, b) => contains(b, a)),
    box_left: boxes((a, b) => isLess(a.high.x, b.low.x)),
    box_overleft: boxes((a, b) => isAtMost(a.high.x, b.high.x)),
    box_right: boxes((a, b) => isMore(a.low.x, b.high.x)),
    box_overright: boxes((a, b) => isAtLeast(a.low.x, b.low.x)),
    box_below: boxes((a, b) => isLess(a.high.y, b.low.y)),
    box_overbelow: boxes((a, b) => isAtMost(a.high.y, b.high.y)),
    box_above: boxes((a, b) => isMore(a.low.y, b.high.y)),
    box_overabove: boxes((a, b) => isAtLeast(a.low.y, b.low.y)),
    box_below_eq: boxes((a, b) => isAtMost(a.high.y, b.low.y)),
    box_above_eq: boxes((a, b) => isAtLeast(a.low.y, b.high.y)),
    box_contain_pt: (box, point) => holds(readBox(box), readPoint(point)),
    on_pb: (point, box) => holds(readBox(box), readPoint(point)),
    circle_left: circles((a, b) => isLess(right(a), left(b))),
    circle_overleft: circles((a, b) => isAtMost(right(a), right(b))),
    circle_right: circles((a, b) => isMore(left(a), right(b))),
    circle_overright: circles((a, b) => isAtLeast(left(a), left(b))),
    circle_below: circles((a, b) => isLess(top(a), bottom(b))),
    circle_overbelow: circles((a, b) => isAtMost(top(a), top(b))),
    circle_above: circles((a, b) => isMore(bottom(a), top(b))),
    circle_overabove: circles((a, b) => isAtLeast(bottom(a), bottom(b))),
  }),
  ...strict('point', {
    construct_point: (x, y) => printPoint({ x: Number(x), y: Number(y) }),
    point_add: (a, b) => printPoint(add(readPoint(a), readPoint(b))),
    point_sub: (a, b) => printPoint(subtract(readPoint(a), readPoint(b))),
    box_center: (text) => {
      const { high, low } = readBox(text);
      return printPoint({ x: half(plus(high.x, low.x)), y: half(plus(high.y, low.y)) });
    },
    circle_center: (text) => printPoint(readCircle(text).center),
  }),
  ...strict('box', {
    points_box: (a, b) => printBox(boxOf(readPoint(a), readPoint(b))),
    point_box: (text) => printBox({ high: readPoint(text), low: readPoint(text) }),
    box_add: moved(add),
    box_sub: moved(subtract),
    box_intersect: intersection,
    boxes_bound_box: (a, b) => printBox(bounding(readBox(a), readBox(b))),
  }),
  ...strict('circle', {
    cr_circle: (center, radius) => printCircle({ center: readPoint(center), radius: Number(radius) }),
  }),
  ...strict('float8', {
    box_area: ofBox((box) => times(width(box), height(box))),
    box_width: ofBox(width),
    box_height: ofBox(height),
    circle_radius: (text) => printDouble(readCircle(text).radius),
    circle_diameter: (text) => printDouble(times(readCircle(text).radius, 2)),
  }),
};
