import type { Expression } from '@sluice/core/expression';
import type { Block, Demand, DemandPair, Input } from '@sluice/core/flow/plan';
import type { PgText } from '@sluice/core/value';
import type { TypeUse } from '../../analysis/query-tree.js';
import { NotABlock } from './reasons.js';

/** While a block is made, a column is named by its input and its place in it: offsets are known at the end. */
const STRIDE = 1 << 12;

/** An input in the making. */
export interface Draft {
  readonly join: Input['join'];
  readonly on: Expression[];
  readonly of: TableDraft | BlockDraft;
  demand: Demand;
}

export interface TableDraft {
  readonly kind: 'table';
  readonly source: Extract<Input['of'], { kind: 'table' }>;
  readonly columnOf: (attnum: number) => number;
}

export interface BlockDraft {
  readonly kind: 'block';
  readonly block: Block;
  /** Columns that others see. */
  readonly columns: number;
}

/** Where a block's parameter comes from: of the block around it, one of its parameters, or a column of an input. */
type ParamSource = { readonly param: number } | { readonly relation: number; readonly column: number };

/** Gives constants and parameters their numbers. */
export interface Numbers {
  param(index: number, type: TypeUse): number;
  constant(value: PgText, type: TypeUse): number;
}

/** The names that one block sees: its inputs, its parameters, and through them the blocks around it. */
export class Level {
  readonly outer: Level | null;
  readonly drafts: Draft[] = [];
  /** Of the query itself at the outermost level; of a subquery they are taken from the level around it. */
  readonly numbers: Numbers;
  readonly #relations = new Map<number, number>();
  readonly #params: ParamSource[] = [];

  constructor(outer: Level | null, numbers: Numbers) {
    this.outer = outer;
    this.numbers =
      outer === null
        ? numbers
        : {
            param: (index, type) => this.#given({ param: outer.numbers.param(index, type) }),
            constant: (value, type) => this.#given({ param: outer.numbers.constant(value, type) }),
          };
  }

  /** Puts an input behind the others. @param relation the number that columns name it by; null for a subquery's mark */
  add(draft: Draft, relation: number | null): number {
    if (relation !== null) this.#relations.set(relation, this.drafts.length);
    return this.drafts.push(draft) - 1;
  }

  has(relation: number): boolean {
    return this.#relations.has(relation);
  }

  inputOf(relation: number): number | undefined {
    return this.#relations.get(relation);
  }

  /** A column here, or of a level around this one: then it is a parameter. */
  column(relation: number, column: number): Expression {
    const at = this.#relations.get(relation);
    if (at !== undefined) return { op: 'column', column: placed(at, this.#place(at, column)) };
    if (this.outer === null) throw new Error('assertion failed: a column of no relation');
    return { op: 'param', param: this.#given({ relation, column }) };
  }

  /** The mark of an EXISTS, or the column of a scalar subquery. */
  columnOfInput(at: number, column: number): Expression {
    return { op: 'column', column: placed(at, column) };
  }

  /** How this block hangs on the one around it, by all of its parameters. */
  demand(): Demand {
    const { outer } = this;
    if (outer === null) throw new Error('assertion failed: the outermost block hangs on bindings');
    let parent: number | null = null;
    const pairs = this.#params.map((source, column): DemandPair => {
      const type = { kind: 'opaque' } as const;
      if ('param' in source) return { column, parentColumn: source.param, type, ofParams: true };
      const from = outer.column(source.relation, source.column);
      if (from.op === 'param') return { column, parentColumn: from.param, type, ofParams: true };
      if (from.op !== 'column') throw new Error('assertion failed: a column is a column');
      const at = Math.floor(from.column / STRIDE);
      if (parent !== null && parent !== at) throw new NotABlock('correlated');
      parent = at;
      return { column, parentColumn: from.column % STRIDE, type };
    });
    // What hangs on the bindings alone reads nothing but parameters.
    if (parent === null) return { parent, pairs: pairs.map(({ ofParams: _, ...pair }) => pair) };
    return { parent, pairs };
  }

  /** The inputs, with their places in the flat row, and what reads them translated. */
  finish(): { readonly inputs: readonly Input[]; readonly flat: (expression: Expression) => Expression } {
    const offsets: number[] = [];
    let width = 0;
    for (const draft of this.drafts) {
      offsets.push(width);
      width += widthOf(draft);
    }
    const flat = (expression: Expression): Expression =>
      renumbered(expression, (column) => (offsets[Math.floor(column / STRIDE)] ?? 0) + (column % STRIDE));
    const inputs = this.drafts.map((draft, at): Input => ({
      of: draft.of.kind === 'table' ? draft.of.source : { kind: 'block', block: draft.of.block },
      join: draft.join,
      on: draft.on.map(flat),
      offset: offsets[at] ?? 0,
      width: widthOf(draft),
      demand: draft.demand,
    }));
    return { inputs, flat };
  }

  #place(at: number, column: number): number {
    const of = this.drafts[at]?.of;
    return of?.kind === 'table' ? of.columnOf(column) : column - 1;
  }

  #given(source: ParamSource): number {
    const text = JSON.stringify(source);
    const known = this.#params.findIndex((one) => JSON.stringify(one) === text);
    return known >= 0 ? known : this.#params.push(source) - 1;
  }
}

function placed(at: number, column: number): number {
  return at * STRIDE + column;
}

/** EXISTS has its mark before the columns that its ON sees. */
function widthOf({ join, of }: Draft): number {
  const own = of.kind === 'table' ? of.source.columns.length : of.columns;
  return join === 'exists' ? 1 + own : own;
}

/** The expression with other numbers for its columns. */
export function renumbered(expression: Expression, number: (column: number) => number): Expression {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const parts = Object.entries(value).map(([name, part]) => [name, visit(part)] as const);
    const copy = Object.fromEntries(parts);
    return copy['op'] === 'column' ? { ...copy, column: number(Number(copy['column'])) } : copy;
  };
  return visit(expression) as Expression;
}
