import { columnsOf, type Compiled } from './compile.js';
import type { Expression } from '../expression.js';
import type { PgText } from '../value.js';
import type { Block, Input } from './plan.js';
import { equality, identity, keyOf, type Row } from './row.js';

/** What a block's plan comes to, worked out once. */
export interface CompiledBlock {
  readonly plan: Block;
  readonly inputs: readonly CompiledInput[];
  /** Conditions that read no input. */
  readonly first: readonly Compiled[];
  readonly width: number;
  readonly compile: (expression: Expression) => Compiled;
}

export interface CompiledInput {
  readonly input: Input;
  readonly on: readonly Compiled[];
  /** WHERE, as far as it can be decided once this input has its row. */
  readonly where: readonly Compiled[];
  /** The key that a row of the parent, or the block's parameters, demand; null when nothing can agree with it. */
  readonly parentKey: (values: readonly PgText[]) => string | null;
  /** The key of a row of the input itself. */
  readonly ownKey: (values: readonly PgText[]) => string | null;
  /** What the parent gives: of a subquery its parameters, of a table the values that its rows have to agree with. */
  readonly given: (values: readonly PgText[]) => readonly PgText[];
}

export function compileBlock(plan: Block, compile: (expression: Expression) => Compiled): CompiledBlock {
  const placed = plan.where.map((condition) => ({ condition, place: placeOf(plan.inputs, condition) }));
  const at = (place: number): Compiled[] =>
    placed.filter((one) => one.place === place).map(({ condition }) => compile(condition));
  return {
    plan,
    inputs: plan.inputs.map((input, index) => ({
      input,
      on: input.on.map(compile),
      where: at(index),
      ...keysOf(input),
    })),
    first: at(-1),
    width: plan.inputs.reduce((width, input) => Math.max(width, input.offset + input.width), 0),
    compile,
  };
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
function keysOf(input: Input): Pick<CompiledInput, 'parentKey' | 'ownKey' | 'given'> {
  const { pairs } = input.demand;
  const { of } = input;
  const isBlock = of.kind === 'block';
  const behind = of.kind === 'block' ? of.block.project.length : 0;
  const parts = pairs.map(({ type }) => (isBlock ? identity : equality(type)));
  const parentColumns = pairs.map(({ parentColumn }) => parentColumn);
  const ownColumns = pairs.map(({ column }) => behind + column);
  return {
    parentKey: (values) => keyOf(parts, parentColumns, values),
    ownKey: (values) => keyOf(parts, ownColumns, values),
    given: (values) => {
      const given: PgText[] = [];
      for (const [at, { column, parentColumn }] of pairs.entries())
        given[isBlock ? column : at] = values[parentColumn] ?? null;
      return given;
    },
  };
}

/** Writes a row's values where the flat row has the input's columns; nulls for no row. */
export function place(flat: PgText[], { offset, width }: Input, row: Row | null): void {
  for (let column = 0; column < width; column++) flat[offset + column] = row?.values[column] ?? null;
}
