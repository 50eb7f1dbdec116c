import { must } from '../assert.js';
import type { Expression } from '../expression.js';

/** The names of the functions that an expression calls. */
export function functionsOf(expression: Expression): Set<string> {
  const names = new Set<string>();
  const visit = (part: Expression): void => {
    if ('fn' in part) names.add(part.fn);
    for (const inner of partsOf(part)) visit(inner);
  };
  visit(expression);
  return names;
}

/** The expression with others in the place of its parts, in the order of `partsOf`. */
export function withParts(expression: Expression, parts: readonly Expression[]): Expression {
  const part = (at: number): Expression => must(parts[at], 'a part for each');
  switch (expression.op) {
    case 'column':
    case 'param':
      return expression;
    case 'not':
    case 'is':
    case 'is_null':
    case 'is_not_null':
      return { ...expression, arg: part(0) };
    case 'case': {
      const arms = expression.arms.map((_, at) => [part(2 * at), part(2 * at + 1)] as const);
      return { ...expression, arms, otherwise: part(2 * arms.length) };
    }
    case 'any':
    case 'all':
      return { ...expression, left: part(0), array: part(1) };
    case 'distinct':
    case 'nullif':
      return { ...expression, left: part(0), right: part(1) };
    default:
      return { ...expression, args: parts };
  }
}

/** The expressions that an expression is made of. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'column':
    case 'param':
      return [];
    case 'not':
    case 'is':
    case 'is_null':
    case 'is_not_null':
      return [expression.arg];
    case 'case':
      return [...expression.arms.flat(), expression.otherwise];
    case 'any':
    case 'all':
      return [expression.left, expression.array];
    case 'distinct':
    case 'nullif':
      return [expression.left, expression.right];
    default:
      return must(expression.args, 'arguments');
  }
}
