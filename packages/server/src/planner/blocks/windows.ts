import type { Expression } from '@sluice/core/expression';
import {
  WINDOW_NAMES,
  type Aggregate,
  type Block,
  type FrameBoundPlan,
  type FramePlan,
  type RangePlan,
  type WindowFunction,
  type WindowName,
  type WindowPlan,
} from '@sluice/core/flow/plan';
import type { ValueType } from '@sluice/core/plan';
import { keyTypeOf, sortTypeOf } from '../../analysis/comparing.js';
import type { Facts } from '../../analysis/facts.js';
import type {
  Frame,
  FrameBound,
  Scalar,
  ScalarOf,
  Select,
  Target,
  Window,
} from '../../analysis/query-tree.js';
import type { PlannedAggregate } from './aggregates.js';
import { NotABlock } from './reasons.js';

interface Met {
  readonly text: string;
  readonly window: number;
  readonly planned: WindowFunction;
}

/** What window functions are planned with: expressions over the rows that they look at. */
export interface WindowParts {
  readonly select: Select;
  readonly facts: Facts;
  readonly below: (scalar: Scalar) => Expression;
  readonly aggregate: (scalar: ScalarOf<'aggregate'>) => PlannedAggregate;
}

/**
 * The window functions of one SELECT, as they are met in its targets. Where their columns stand is known at the end:
 * until then each is a parameter of a number that no parameter has.
 */
export class WindowColumns {
  readonly #parts: WindowParts;
  readonly #met: Met[] = [];
  #over: readonly WindowPlan[] = [];

  constructor(parts: WindowParts) {
    this.#parts = parts;
  }

  atHand(scalar: Scalar): Expression | undefined {
    if (scalar.kind !== 'window') return undefined;
    if (!scalar.aggregate) return this.#column(scalar, this.#function(scalar));
    const { planned, ordered } = this.#aggregate(scalar);
    return planned.result(
      planned.parts.map((part) =>
        // The window says in which order its rows come.
        this.#column(scalar, { kind: 'aggregate', aggregate: { ...part, order: [] }, ordered }),
      ),
    );
  }

  #column({ window }: ScalarOf<'window'>, planned: WindowFunction): Expression {
    const text = JSON.stringify([window, planned]);
    let at = this.#met.findIndex((one) => one.text === text);
    if (at < 0) at = this.#met.push({ text, window, planned }) - 1;
    return { op: 'param', param: FIRST_COLUMN + at };
  }

  /** All functions have been met: what their windows read is asked for. */
  plan(): void {
    this.#over = this.#used().map((window) => this.#window(window));
  }

  /**
   * @param flat translates columns of the rows below
   * @param at where its own columns begin
   * @returns the windows, and what puts their columns into an expression
   */
  finish(
    flat: (expression: Expression) => Expression,
    at: number,
  ): Pick<Block, 'windows'> & { readonly settle: (expression: Expression) => Expression } {
    if (this.#met.length === 0) return { settle: (expression) => expression };
    const inOrder = this.#used().flatMap(({ ref }) => this.#met.filter(({ window }) => window === ref));
    const places = this.#met.map((one) => at + inOrder.indexOf(one));
    const over = this.#over.map((one) => mapped(one, flat));
    return { windows: { at, over }, settle: (expression) => settled(expression, places) };
  }

  #used(): readonly Window[] {
    return this.#parts.select.windows.filter(({ ref }) => this.#met.some(({ window }) => window === ref));
  }

  #window(window: Window): WindowPlan {
    const { facts, below } = this.#parts;
    return {
      partition: window.partition.map((key) => {
        const { expression } = this.#target(key.ref);
        return { expression: below(expression), type: keyTypeOf(key, expression, facts) };
      }),
      order: window.order.map((key) => {
        const { expression } = this.#target(key.ref);
        const type = sortTypeOf(key, expression, facts);
        return {
          expression: below(expression),
          type,
          descending: key.descending,
          nullsFirst: key.nullsFirst,
        };
      }),
      frame: this.#frame(window),
      functions: this.#met.filter((one) => one.window === window.ref).map(({ planned }) => planned),
    };
  }

  #frame(window: Window): FramePlan {
    const { mode, start, end, exclude } = window.frame;
    const bound = (one: FrameBound): FrameBoundPlan =>
      'offset' in one
        ? {
            kind: one.kind,
            offset: this.#parts.below(one.offset),
            range: mode === 'range' ? this.#range(window, one) : null,
          }
        : { kind: one.kind };
    return { mode, start: bound(start), end: bound(end), exclude };
  }

  #range(window: Window, bound: FrameBound & { readonly offset: Scalar }): RangePlan {
    const [key] = window.order;
    if (key === undefined) throw new NotABlock('window_frame');
    const { expression } = this.#target(key.ref);
    const kind = RANGES[`${expression.type.oid}:${bound.offset.type.oid}`];
    if (kind === undefined) throw new NotABlock('window_frame');
    const isUp = (bound.kind === 'following') !== key.descending;
    const plain = this.#parts.below(expression);
    const value: Expression =
      kind.through === undefined ? plain : { op: 'call', fn: kind.through, args: [plain] };
    const args = [value, this.#parts.below(bound.offset)];
    const limit: Expression = { op: 'call', fn: isUp ? kind.plus : kind.minus, args };
    return { key: value, limit, type: kind.type, offsetType: kind.offset };
  }

  #aggregate(scalar: ScalarOf<'window'>): { readonly planned: PlannedAggregate; readonly ordered: boolean } {
    const name = this.#parts.facts.functions.get(scalar.fn)?.name ?? '';
    const { order, frame } = this.#windowOf(scalar);
    const ordered = LISTS.has(name);
    if (!ordered && !UNORDERED.has(name)) throw new NotABlock('window_function', name);
    if (order.length === 0 && (ordered || cutsPeers(frame))) throw new NotABlock('window_order', name);
    return { planned: this.#parts.aggregate(asAggregate(scalar)), ordered };
  }

  #function(scalar: ScalarOf<'window'>): WindowFunction {
    const name = this.#parts.facts.functions.get(scalar.fn)?.name ?? '';
    const fn = WINDOW_NAMES.find((one) => one === name);
    if (fn === undefined || scalar.fn >= FIRST_USER_OID) throw new NotABlock('window_function', name);
    if (this.#windowOf(scalar).order.length === 0 && !OF_PEERS.has(fn))
      throw new NotABlock('window_order', name);
    return { kind: 'function', fn, args: scalar.args.map(this.#parts.below) };
  }

  #windowOf(scalar: ScalarOf<'window'>): Window {
    const window = this.#parts.select.windows.find(({ ref }) => ref === scalar.window);
    if (window === undefined) throw new Error('assertion failed: a function is of a window');
    return window;
  }

  #target(ref: number): Target {
    const target = this.#parts.select.targets.find((one) => one.ref === ref);
    if (target === undefined) throw new Error('assertion failed: keys of windows are targets');
    return target;
  }
}

/** Refs of the targets that are keys of every window and of DISTINCT ON: a condition on them leaves or takes whole partitions. */
export function commonKeys(select: Select): ReadonlySet<number> | null {
  const lists = [
    ...select.windows.map(({ partition }) => partition),
    ...(select.distinct?.on === true ? [select.distinct.keys] : []),
  ].map((keys) => new Set(keys.map(({ ref }) => ref)));
  const [first, ...others] = lists;
  if (first === undefined) return null;
  return new Set([...first].filter((ref) => others.every((list) => list.has(ref))));
}

const FIRST_COLUMN = 1 << 24;
const FIRST_USER_OID = 16384;

/** Functions to which all peers are the same. */
const OF_PEERS: ReadonlySet<WindowName> = new Set(['rank', 'dense_rank', 'percent_rank', 'cume_dist']);

/** Aggregates that make the same of the same rows in any order. */
const UNORDERED: ReadonlySet<string> = new Set([
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'bool_and',
  'bool_or',
  'every',
  'bit_and',
  'bit_or',
  'bit_xor',
]);

/** Aggregates that show the order of their rows. */
const LISTS: ReadonlySet<string> = new Set([
  'array_agg',
  'string_agg',
  'json_agg',
  'jsonb_agg',
  'json_object_agg',
  'jsonb_object_agg',
]);

function cutsPeers({ mode, start, end }: Frame): boolean {
  return mode === 'rows' && !(start.kind === 'unbounded preceding' && end.kind === 'unbounded following');
}

interface RangeKind {
  readonly plus: string;
  readonly minus: string;
  /** The type in which keys and limits are compared. */
  readonly type: ValueType;
  readonly offset: ValueType;
  /** What the key goes through before. */
  readonly through?: string;
}

const INT: ValueType = { kind: 'int' };
const NUMERIC: ValueType = { kind: 'numeric' };
const SPAN: ValueType = { kind: 'interval' };
// Whole numbers are added as numerics: at the end of their range Postgres does not overflow either.
const WHOLE: RangeKind = { plus: 'numeric_add', minus: 'numeric_sub', type: INT, offset: INT };
const MOMENT: RangeKind = {
  plus: 'timestamp_pl_interval',
  minus: 'timestamp_mi_interval',
  type: { kind: 'timestamp' },
  offset: SPAN,
};

/** By the types of the key and of the offset. (Postgres source, the `in_range` functions; time wraps, float4 rounds) */
const RANGES: Readonly<Record<string, RangeKind>> = {
  '21:20': WHOLE,
  '21:21': WHOLE,
  '21:23': WHOLE,
  '23:20': WHOLE,
  '23:21': WHOLE,
  '23:23': WHOLE,
  '20:20': WHOLE,
  '1700:1700': { ...WHOLE, type: NUMERIC, offset: NUMERIC },
  '1114:1186': MOMENT,
  '1082:1186': { ...MOMENT, through: 'date_timestamp' },
  '1184:1186': {
    ...MOMENT,
    plus: 'timestamptz_pl_interval',
    minus: 'timestamptz_mi_interval',
    type: { kind: 'timestamptz' },
  },
};

function asAggregate(scalar: ScalarOf<'window'>): ScalarOf<'aggregate'> {
  const { fn, star, args, filter, collation, type } = scalar;
  return {
    kind: 'aggregate',
    fn,
    star,
    args: args.map((expression) => ({ expression, name: '', junk: false, ref: 0 })),
    direct: [],
    order: [],
    distinct: [],
    filter,
    ordering: 'normal',
    variadic: false,
    collation,
    up: 0,
    type,
  };
}

/** Every expression in a plan is translated. */
function mapped(plan: WindowPlan, flat: (expression: Expression) => Expression): WindowPlan {
  const bound = (one: FrameBoundPlan): FrameBoundPlan =>
    'offset' in one && one.range !== null
      ? { ...one, range: { ...one.range, key: flat(one.range.key), limit: flat(one.range.limit) } }
      : one;
  return {
    partition: plan.partition.map((key) => ({ ...key, expression: flat(key.expression) })),
    order: plan.order.map((key) => ({ ...key, expression: flat(key.expression) })),
    frame: { ...plan.frame, start: bound(plan.frame.start), end: bound(plan.frame.end) },
    functions: plan.functions.map((one) =>
      one.kind === 'function'
        ? { ...one, args: one.args.map(flat) }
        : { ...one, aggregate: ofAggregate(one.aggregate, flat) },
    ),
  };
}

function ofAggregate(aggregate: Aggregate, flat: (expression: Expression) => Expression): Aggregate {
  return {
    ...aggregate,
    args: aggregate.args.map(flat),
    filter: aggregate.filter === null ? null : flat(aggregate.filter),
  };
}

function settled(expression: Expression, places: readonly number[]): Expression {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visit(part)]));
    const param = Number(copy['param']);
    if (copy['op'] !== 'param' || param < FIRST_COLUMN) return copy;
    return { op: 'column', column: places[param - FIRST_COLUMN] };
  };
  return visit(expression) as Expression;
}
