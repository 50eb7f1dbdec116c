import { must } from '../assert.js';
import { comparator, type Compare } from '../engine/compare.js';
import { notReproduced, PgError } from '../expression/errors.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { Compile, Compiled } from './compile.js';
import { placeOf } from './row-order.js';
import type { FrameBoundPlan, FramePlan, RangePlan, WindowOrder } from './plan.js';

/*
 * Which rows of a sorted partition a function sees from each of them. Peers are rows that are equal in ORDER BY.
 *
 *      0   1   2   3   4   5   6        places
 *      a   b   b   b   c   d   d        groups of peers
 *          └─── RANGE or GROUPS ──┘     frames of these begin and end between groups
 */

/** Of each place its group of peers: where that begins, where it ends, and which group it is. */
export interface Peers {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly groups: readonly number[];
  /** Where each group begins. */
  readonly groupStarts: readonly number[];
}

export function peersOf(count: number, arePeers: (left: number, right: number) => boolean): Peers {
  const groupStarts: number[] = [];
  const groups: number[] = [];
  for (let at = 0; at < count; at++) {
    if (at === 0 || !arePeers(at - 1, at)) groupStarts.push(at);
    groups.push(groupStarts.length - 1);
  }
  return {
    groups,
    groupStarts,
    starts: groups.map((group) => groupStarts[group] ?? 0),
    ends: groups.map((group) => groupStarts[group + 1] ?? count),
  };
}

/** Half open; what is excluded is in it. */
export interface Frames {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** What RANGE with an offset needs to know of a row. */
export interface RangeValues {
  readonly orderedBy: PgText;
  readonly startKey: PgText;
  readonly startLimit: PgText;
  readonly endKey: PgText;
  readonly endLimit: PgText;
}

export class FrameFinder {
  readonly #plan: FramePlan;
  readonly #first: WindowOrder | undefined;
  readonly #offsets: readonly [Compiled | null, Compiled | null];
  readonly #ranges: readonly [Range | null, Range | null];

  constructor(plan: FramePlan, order: readonly WindowOrder[], compile: Compile) {
    const offsetOf = (bound: FrameBoundPlan): Compiled | null =>
      'offset' in bound ? compile(bound.offset) : null;
    const rangeOf = (bound: FrameBoundPlan): Range | null =>
      'range' in bound && bound.range !== null ? new Range(bound.range, compile) : null;
    this.#plan = plan;
    this.#first = order[0];
    this.#offsets = [offsetOf(plan.start), offsetOf(plan.end)];
    this.#ranges = [rangeOf(plan.start), rangeOf(plan.end)];
  }

  /** Null when the frame is not one of RANGE with an offset. */
  valuesOf(row: readonly PgText[], ordered: PgText, params: readonly PgText[]): RangeValues | null {
    const [start, end] = this.#ranges;
    if (start === null && end === null) return null;
    // Beside NULL no limit is looked at.
    const of = (one: Compiled | undefined): PgText =>
      one === undefined || ordered === null ? null : one(row, params);
    return {
      orderedBy: ordered,
      startKey: of(start?.key),
      startLimit: of(start?.limit),
      endKey: of(end?.key),
      endLimit: of(end?.limit),
    };
  }

  /** @param values by place, when `valuesOf` gives any */
  frames(peers: Peers, values: readonly (RangeValues | null)[], params: readonly PgText[]): Frames {
    const [start, end] = this.#offsets.map((offset, at) =>
      offset === null ? 0 : this.#size(offset([], params), at),
    );
    const places = [...peers.starts.keys()];
    return {
      starts: places.map((at) => this.#bound(this.#plan.start, at, start ?? 0, true, peers, values)),
      ends: places.map((at) => this.#bound(this.#plan.end, at, end ?? 0, false, peers, values)),
    };
  }

  /** The number of rows or groups; of RANGE it is only checked. */
  #size(offset: PgText, at: number): number {
    if (offset === null) throw new PgError('22004');
    const range = this.#ranges[at] ?? null;
    if (range !== null) {
      if (isBelowZero(offset, range)) throw new PgError('22013');
      return 0;
    }
    const size = Number(offset);
    if (size < 0) throw new PgError('22013');
    return size;
  }

  #bound(
    bound: FrameBoundPlan,
    at: number,
    size: number,
    isStart: boolean,
    peers: Peers,
    values: readonly (RangeValues | null)[],
  ): number {
    const count = peers.starts.length;
    const { mode } = this.#plan;
    switch (bound.kind) {
      case 'unbounded preceding':
        return 0;
      case 'unbounded following':
        return count;
      case 'current row':
        if (mode === 'rows') return isStart ? at : at + 1;
        return must((isStart ? peers.starts : peers.ends)[at], 'place');
      default: {
        const by = bound.kind === 'preceding' ? -size : size;
        if (mode === 'rows') return within(at + by + (isStart ? 0 : 1), count);
        if (mode === 'range') return this.#rangeBound(at, isStart, peers, values);
        const group = must(peers.groups[at], 'place') + by + (isStart ? 0 : 1);
        return group < 0 ? 0 : (peers.groupStarts[group] ?? count);
      }
    }
  }

  /** Of a NULL the other NULLs; other rows look at no NULL. */
  #rangeBound(at: number, isStart: boolean, peers: Peers, values: readonly (RangeValues | null)[]): number {
    const own = must(values[at] ?? null, 'values of RANGE');
    if (own.orderedBy === null) return must((isStart ? peers.starts : peers.ends)[at], 'place');
    const { descending, nullsFirst } = must(this.#first, 'RANGE with an offset has an ORDER BY');
    const { compare } = must(this.#ranges[isStart ? 0 : 1] ?? null, 'range');
    const limit = must(isStart ? own.startLimit : own.endLimit, 'a limit');
    const isNull = (one: RangeValues | null): boolean => one?.orderedBy === null;
    const from = nullsFirst ? placeOf(values, isNull) : 0;
    const to = nullsFirst ? values.length : placeOf(values, (one) => !isNull(one));
    const isBefore = (one: RangeValues | null): boolean => {
      const key = must((isStart ? one?.startKey : one?.endKey) ?? null, 'a key');
      const order = compare(key, limit) * (descending ? -1 : 1);
      return isStart ? order < 0 : order <= 0;
    };
    return placeOf(values, isBefore, from, to);
  }
}

class Range {
  readonly key: Compiled;
  readonly limit: Compiled;
  readonly offsetType: ValueType;
  readonly compare: Compare;
  readonly compareOffsets: Compare;

  constructor(plan: RangePlan, compile: Compile) {
    this.key = compile(plan.key);
    this.limit = compile(plan.limit);
    this.offsetType = plan.offsetType;
    this.compareOffsets = comparator(plan.offsetType, compile.pieces.types);
    this.compare = comparator(plan.type, compile.pieces.types);
  }
}

/** Infinities have rules of their own. */
function isBelowZero(offset: string, { offsetType, compareOffsets }: Range): boolean {
  if (/^-?(infinity|nan)$/i.test(offset)) notReproduced('a frame of infinite size');
  return compareOffsets(offset, offsetType.kind === 'interval' ? '00:00:00' : '0') < 0;
}

function within(place: number, count: number): number {
  return Math.max(0, Math.min(place, count));
}
