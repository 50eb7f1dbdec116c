import { compileExpression, type Evaluate } from '../expression/compile.js';
import { NotReproduced, PgError } from '../expression/errors.js';
import type { Family } from '../expression/registry.js';
import type { Expression } from '../expression.js';

/** The functions that a plan's expressions call. */
export type Functions = Family;

export type Compiled = Evaluate;

/** Each expression is compiled once: what all bindings share is in memory once. */
export function compiler(functions: Functions): (expression: Expression) => Compiled {
  const known = new Map<Expression, Compiled>();
  return (expression) => {
    let compiled = known.get(expression);
    if (compiled === undefined) known.set(expression, (compiled = compileExpression(expression, functions)));
    return compiled;
  };
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
