import { must } from '../assert.js';
import type { TypeRules } from '../engine/compare.js';
import { columnsOf, type Compile, type Compiled } from './compile.js';
import type { Expression } from '../expression.js';
import type { PgText } from '../value.js';
import type { Block, DemandPair, Input } from './plan.js';
import { equality, equalityAlone, identity, keyOf, type Row } from './row.js';
import { isTallied } from './tallied.js';

/** What a block's plan comes to, worked out once. */
export interface CompiledBlock {
  readonly plan: Block;
  readonly inputs: readonly CompiledInput[];
  /** Conditions that read no input. */
  readonly first: readonly Compiled[];
  readonly width: number;
  /** Of a set operation, by input: its columns over the input's row. */
  readonly arms: readonly (readonly Compiled[])[] | null;
  /** Of rows that are made of parameters. */
  readonly rows: ((params: readonly PgText[]) => readonly (readonly PgText[])[]) | null;
  readonly compile: Compile;
  /** A stage holds what it was given of each joined tuple. */
  readonly keepsTuples: boolean;
}

export interface CompiledInput {
  readonly input: Input;
  /** It and all inputs above it are of inner and left joins, and each hangs on a row: an anchor below has a row of it. */
  readonly isDirect: boolean;
  readonly on: readonly Compiled[];
  /** WHERE, as far as it can be decided once this input has its row. */
  readonly where: readonly Compiled[];
  /** What of its key a row of the parent has, or the block's parameters. */
  readonly parentKey: KeyMaker;
  /** What of its key the block's parameters have beside a row of the parent; null when nothing. */
  readonly paramKey: KeyMaker | null;
  /** The key of a row of the input itself. */
  readonly ownKey: KeyMaker;
  /** The key that is looked up. */
  readonly key: (above: readonly PgText[], params: readonly PgText[]) => string | null;
  /** What the key is made of: of a subquery its parameters, of a table the values that its rows have to agree with. */
  readonly given: (above: readonly PgText[], params: readonly PgText[]) => readonly PgText[];
}

/** Makes a key of values. */
export interface KeyMaker {
  /** Null when nothing can agree with it. */
  of(values: readonly PgText[]): string | null;
  /** Whether what the key is made of is the same in both: then the keys are. */
  isSame(left: readonly PgText[], right: readonly PgText[]): boolean;
}

export function compileBlock(plan: Block, compile: Compile): CompiledBlock {
  const placed = plan.where.map((condition) => ({ condition, place: placeOf(plan.inputs, condition) }));
  const at = (place: number): Compiled[] =>
    placed.filter((one) => one.place === place).map(({ condition }) => compile(condition));
  return {
    plan,
    inputs: plan.inputs.map((input, index) => ({
      input,
      isDirect: isDirect(plan, index),
      on: input.on.map(compile),
      where: at(index),
      ...keysOf(input, compile.pieces.types),
    })),
    first: at(-1),
    width: plan.inputs.reduce((width, input) => Math.max(width, input.offset + input.width), 0),
    rows:
      plan.rows === undefined
        ? null
        : must(compile.pieces.operators.rows, 'a plan names its chunks')(plan.rows, compile),
    arms: plan.sets?.arms.map((columns) => columns.map(compile)) ?? null,
    compile,
    keepsTuples: !isTallied(plan) && keepsTuples(plan),
  };
}

/** Of their values nothing is held that grows with them. */
const SUMMED = /^(count|bool_|bit_|sum_(int8|numeric)$)/;

function keepsTuples({ group, windows, distinct, distinctOn, order, limit, offset }: Block): boolean {
  if (group !== null) return group.aggregates.some((one) => one.distinct || !SUMMED.test(one.fn));
  const isCut = order.length > 0 || limit !== null || offset !== null;
  return isCut || windows !== undefined || distinct || distinctOn !== undefined;
}

/** What a binding demands: keys of the inputs that hang on it. */
export function demandsOf(
  { inputs }: CompiledBlock,
  params: readonly PgText[],
): readonly (readonly [input: number, key: string])[] {
  return inputs.flatMap(({ input, parentKey }, at): [number, string][] => {
    const key = input.demand.parent === null ? parentKey.of(params) : null;
    return key === null ? [] : [[at, key]];
  });
}

/** The last input that the condition reads. */
function placeOf(inputs: readonly Input[], condition: Expression): number {
  let place = -1;
  for (const column of columnsOf(condition)) {
    const input = inputs.findIndex(({ offset, width }) => column >= offset && column < offset + width);
    place = Math.max(place, input);
  }
  return place;
}

/** A row of a subquery has its parameters behind its columns. They are handed on as they are, NULL among them. */
function keysOf(input: Input, rules: TypeRules): Omit<CompiledInput, 'input' | 'isDirect' | 'on' | 'where'> {
  const { of, demand } = input;
  const isBlock = of.kind === 'block';
  const behind = of.kind === 'block' ? of.block.project.length : 0;
  const pick = (pairs: readonly DemandPair[], column: (pair: DemandPair) => number): KeyMaker => {
    const part = pairs.length > 1 ? equality : equalityAlone;
    const parts = pairs.map(({ type }) => (isBlock ? identity : part(type, rules)));
    const columns = pairs.map(column);
    return {
      of: (values) => keyOf(parts, columns, values),
      isSame: (left, right) => columns.every((at) => (left[at] ?? null) === (right[at] ?? null)),
    };
  };
  const ofRow = demand.pairs.filter(({ ofParams }) => ofParams !== true);
  const ofParams = demand.pairs.filter((pair) => pair.ofParams === true);
  const parentKey = pick(ofRow, ({ parentColumn }) => parentColumn);
  const given = (above: readonly PgText[], params: readonly PgText[]): readonly PgText[] =>
    demand.pairs.map((pair) => (pair.ofParams === true ? params : above)[pair.parentColumn] ?? null);
  const whole = pick(demand.pairs, (pair) => demand.pairs.indexOf(pair));
  return {
    parentKey,
    paramKey: ofParams.length === 0 ? null : pick(ofParams, ({ parentColumn }) => parentColumn),
    ownKey: pick(demand.pairs, ({ column }) => behind + column),
    key: ofParams.length === 0 ? parentKey.of : (above, params) => whole.of(given(above, params)),
    given,
  };
}

/** Writes a row's values where the flat row has the input's columns; nulls for no row. EXISTS has its mark before them. */
export function place(flat: PgText[], { join, offset, width }: Input, row: Row | null): void {
  const mark = join === 'exists' ? 1 : 0;
  for (let column = 0; column < width - mark; column++)
    flat[offset + mark + column] = row?.values[column] ?? null;
}

/** Whether that input is a subquery that has an answer also where there is no row of its parent. */
export function hangsOnNothing({ inputs }: Block, at: number): boolean {
  const { of, demand } = must(inputs[at], 'input');
  return of.kind === 'block' && demand.parent !== null && inputs[demand.parent]?.join !== 'inner';
}

function isDirect(plan: Block, at: number): boolean {
  const { join, demand } = must(plan.inputs[at], 'input');
  if (hangsOnNothing(plan, at) || (join !== 'inner' && join !== 'left')) return false;
  return demand.parent === null || isDirect(plan, demand.parent);
}
