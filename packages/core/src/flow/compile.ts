import { compileExpression, type Evaluate, type ExpressionPieces } from '../expression/compile.js';
import { NotReproduced, PgError } from '../expression/errors.js';
import type { Family } from '../expression/registry.js';
import type { Expression } from '../expression.js';
import type { Operators } from './operators.js';

/** The functions that a plan's expressions call. */
export type Functions = Family;

/** What an engine is made of beside its kernel: what the chunks bring that its plan names. */
export interface Pieces extends ExpressionPieces {
  readonly operators: Operators<Compile>;
}

export type Compiled = Evaluate;

export interface Compile {
  (expression: Expression): Compiled;
  /** What it compiles with. */
  readonly pieces: Pieces;
}

/** Each expression is compiled once: what all bindings share is in memory once. */
export function compiler(pieces: Pieces): Compile {
  const known = new WeakMap<Expression, Compiled>();
  const compile = (expression: Expression): Compiled => {
    let compiled = known.get(expression);
    if (compiled === undefined) known.set(expression, (compiled = compileExpression(expression, pieces)));
    return compiled;
  };
  return Object.assign(compile, { pieces });
}

/** What only Postgres can tell: it raises an error if it comes to that, or has a value that is not reproduced here. */
export function isForPostgres(error: unknown): boolean {
  return error instanceof PgError || error instanceof NotReproduced;
}

/** The columns that an expression reads. */
export function columnsOf(expression: Expression): Set<number> {
  const columns = new Set<number>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('op' in node && node.op === 'column' && 'column' in node) columns.add(Number(node.column));
    for (const part of Object.values(node)) visit(part);
  };
  visit(expression);
  return columns;
}
