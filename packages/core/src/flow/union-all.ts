import type { SetOperation } from './plan.js';

/** Whether rows stand for themselves, each with the key that it has: nothing is to be counted. */
export function isUnionAll(operation: SetOperation): boolean {
  if ('input' in operation) return true;
  return (
    operation.op === 'union' && operation.all && isUnionAll(operation.left) && isUnionAll(operation.right)
  );
}
