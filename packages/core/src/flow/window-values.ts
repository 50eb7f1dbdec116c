import { must, unreachable } from '../assert.js';
import { notReproduced, PgError } from '../expression/errors.js';
import { printDouble } from '../expression/float-text.js';
import type { PgText } from '../value.js';
import { makeAggregate } from './aggregates.js';
import type { Compile } from './compile.js';
import type { Frames, Peers } from './window-frame.js';
import type { FramePlan, WindowFunction, WindowName, WindowPlan } from './plan.js';

/** The rows of one partition in the order of the window. */
export interface Partition {
  readonly rows: readonly {
    readonly key: string;
    readonly row: readonly PgText[];
    readonly args: readonly (readonly PgText[])[];
  }[];
  readonly peers: Peers;
  readonly hasTies: boolean;
  readonly frames: Frames;
}

export interface WindowValues {
  /** It looks at frames. */
  readonly framed: boolean;
  /** Its values depend on the places of rows that are peers. */
  readonly byPlace: boolean;
  /** By place. @param at which of the window's functions it is */
  values(partition: Partition, at: number): readonly PgText[];
}

/** Half open. */
type Stretch = readonly [from: number, to: number];

export function makeWindowFunction(
  plan: WindowFunction,
  { frame }: WindowPlan,
  params: readonly PgText[],
  compile: Compile,
): WindowValues {
  if (plan.kind === 'aggregate') return aggregate(plan, frame, params, compile);
  const { fn } = plan;
  switch (fn) {
    case 'row_number':
    case 'ntile':
    case 'lag':
    case 'lead':
      return { framed: false, byPlace: true, values: (partition, at) => BY_PLACE[fn](partition, at) };
    case 'rank':
    case 'dense_rank':
    case 'percent_rank':
    case 'cume_dist':
      return {
        framed: false,
        byPlace: false,
        values: ({ peers }) => peers.starts.map((_, place) => BY_PEERS[fn](peers, place)),
      };
    case 'first_value':
    case 'last_value':
    case 'nth_value':
      return {
        framed: true,
        byPlace: cutsPeers(frame),
        values: (partition, at) =>
          partition.rows.map((_, place) => picked(fn, partition, frame.exclude, at, place)),
      };
    default:
      return unreachable(fn);
  }
}

/** Whether a frame may hold one peer and not the other. */
function cutsPeers({ mode, start, end }: FramePlan): boolean {
  return mode === 'rows' && !(start.kind === 'unbounded preceding' && end.kind === 'unbounded following');
}

type Named<K extends WindowName> = K;

const BY_PLACE: Readonly<
  Record<
    Named<'row_number' | 'ntile' | 'lag' | 'lead'>,
    (partition: Partition, at: number) => readonly PgText[]
  >
> = {
  row_number: ({ rows }) => rows.map((_, place) => String(place + 1)),
  lag: (partition, at) => beside(partition, at, -1),
  lead: (partition, at) => beside(partition, at, 1),
  ntile,
};

const BY_PEERS: Readonly<
  Record<Named<'rank' | 'dense_rank' | 'percent_rank' | 'cume_dist'>, (peers: Peers, place: number) => string>
> = {
  rank: ({ starts }, place) => String((starts[place] ?? 0) + 1),
  dense_rank: ({ groups }, place) => String((groups[place] ?? 0) + 1),
  percent_rank: ({ starts }, place) =>
    starts.length === 1 ? '0' : printDouble((starts[place] ?? 0) / (starts.length - 1)),
  cume_dist: ({ ends }, place) => printDouble((ends[place] ?? 0) / ends.length),
};

/** The value some places away; beyond the partition the default. */
function beside({ rows }: Partition, at: number, direction: 1 | -1): readonly PgText[] {
  return rows.map(({ args }, place) => {
    const [, offset = '1', otherwise = null] = args[at] ?? [];
    if (offset === null) return null;
    const row = rows[place + direction * Number(offset)];
    return row === undefined ? otherwise : (row.args[at]?.[0] ?? null);
  });
}

/** As many tiles as the first row says whose number is not NULL; the rows before it have none. */
function ntile({ rows }: Partition, at: number): readonly PgText[] {
  const tileOf = (tiles: number, index: number): number => {
    const size = Math.floor(rows.length / tiles);
    const larger = rows.length % tiles;
    const inLarger = larger * (size + 1);
    return index < inLarger
      ? Math.floor(index / (size + 1)) + 1
      : larger + Math.floor((index - inLarger) / size) + 1;
  };
  let tiles = 0;
  let first = 0;
  return rows.map(({ args }, place) => {
    if (tiles === 0) {
      const number = args[at]?.[0] ?? null;
      if (number === null) return null;
      tiles = Number(number);
      first = place;
      if (tiles <= 0) throw new PgError('22014');
    }
    return String(tileOf(tiles, place - first));
  });
}

/** The first, last or nth row of a frame. */
function picked(
  fn: 'first_value' | 'last_value' | 'nth_value',
  partition: Partition,
  exclude: FramePlan['exclude'],
  at: number,
  place: number,
): PgText {
  const stretches = stretchesOf(partition, exclude, place);
  const count = stretches.reduce((sum, [from, to]) => sum + to - from, 0);
  let nth = fn === 'last_value' ? count : 1;
  if (fn === 'nth_value') {
    const number = partition.rows[place]?.args[at]?.[1] ?? null;
    if (number === null) return null;
    nth = Number(number);
    if (nth <= 0) throw new PgError('22016');
  }
  if (nth > count || nth === 0) return null;
  return valueAt(partition, stretches, at, nth);
}

function valueAt(partition: Partition, stretches: readonly Stretch[], at: number, nth: number): PgText {
  const { peers, rows } = partition;
  let left = nth - 1;
  for (const [from, to] of stretches) {
    if (left >= to - from) {
      left -= to - from;
      continue;
    }
    const place = from + left;
    const value = rows[place]?.args[at]?.[0] ?? null;
    const group = peers.groups[place];
    // Any of its peers in the frame could stand in its place.
    for (const [begin, end] of stretches)
      for (let other = Math.max(begin, peers.starts[place] ?? 0); other < end; other++) {
        if (peers.groups[other] !== group) break;
        if ((rows[other]?.args[at]?.[0] ?? null) !== value) notReproduced('the order of peers in a window');
      }
    return value;
  }
  return null;
}

/** The frame without what EXCLUDE takes out of it. */
function stretchesOf(
  { frames, peers }: Partition,
  exclude: FramePlan['exclude'],
  place: number,
): readonly Stretch[] {
  const from = must(frames.starts[place], 'frame');
  const to = must(frames.ends[place], 'frame');
  const whole: Stretch = [from, to];
  const clipped = (stretches: readonly Stretch[]): readonly Stretch[] =>
    stretches
      .map(([begin, end]): Stretch => [Math.max(from, begin), Math.min(to, end)])
      .filter(([begin, end]) => begin < end);
  const [start, end] = [peers.starts[place] ?? 0, peers.ends[place] ?? 0];
  switch (exclude) {
    case 'nothing':
      return clipped([whole]);
    case 'current row':
      return clipped([
        [from, place],
        [place + 1, to],
      ]);
    case 'group':
      return clipped([
        [from, start],
        [end, to],
      ]);
    case 'ties':
      return clipped([
        [from, start],
        [place, place + 1],
        [end, to],
      ]);
    default:
      return unreachable(exclude);
  }
}

function aggregate(
  { aggregate: plan, ordered }: WindowFunction & { readonly kind: 'aggregate' },
  frame: FramePlan,
  params: readonly PgText[],
  compile: Compile,
): WindowValues {
  const make = makeAggregate(plan, params, compile);
  return {
    framed: true,
    byPlace: cutsPeers(frame) || ordered,
    values: (partition) => {
      const { rows, frames, peers } = partition;
      const state = make();
      const add = (place: number): void => state.add(keyOfPlace(place), must(rows[place], 'row').row);
      const remove = (place: number): void => state.remove(keyOfPlace(place), must(rows[place], 'row').row);
      // Frames only move forward: what a row sees is what the one before it saw, with a change at both ends.
      let [from, to] = [0, 0];
      return rows.map((_, place) => {
        const start = must(frames.starts[place], 'frame');
        const end = Math.max(start, must(frames.ends[place], 'frame'));
        for (; from < start; from++) if (from < to) remove(from);
        to = Math.max(to, from);
        for (; to < end; to++) add(to);
        const excluded = excludedOf(frame.exclude, peers, place).filter((one) => one >= from && one < to);
        for (const one of excluded) remove(one);
        const result = state.result();
        for (const one of excluded) add(one);
        return result;
      });
    },
  };
}

/** Aggregates that show an order have that of these keys. */
function keyOfPlace(place: number): string {
  return String(place).padStart(10, '0');
}

function excludedOf(exclude: FramePlan['exclude'], peers: Peers, place: number): readonly number[] {
  if (exclude === 'nothing') return [];
  if (exclude === 'current row') return [place];
  const [start, end] = [peers.starts[place] ?? 0, peers.ends[place] ?? 0];
  const group = Array.from({ length: end - start }, (_, at) => start + at);
  return exclude === 'group' ? group : group.filter((one) => one !== place);
}
