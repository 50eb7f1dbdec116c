import type { FunctionSource, Scalar, Select } from '../../analysis/query-tree.js';
import { exchange } from './scalars.js';

/**
 * Functions that return sets, in the list of a SELECT, as functions in FROM: there too they go side by side, and the
 * shorter ones are filled up with NULLs. Left as they are where the SELECT groups or has windows, which come before.
 */
export function withFunctionsInFrom(select: Select, fresh: () => number): Select {
  if (select.grouping !== null || select.windows.length > 0) return select;
  const functions: FunctionSource[] = [];
  const id = fresh();
  const outside = (part: Scalar): Scalar | undefined => {
    if ('query' in part) return part;
    if (part.kind !== 'call' || !part.returnsSet) return undefined;
    const column = functions.push({ call: part, columnCount: 1, definition: null });
    return { kind: 'column', relation: id, column, up: 0, type: part.type };
  };
  const targets = select.targets.map((target) => ({
    ...target,
    expression: exchange({ of: target.expression }, outside).of,
  }));
  if (functions.length === 0) return select;
  const columns = functions.map(() => '');
  const relation = {
    id,
    name: '',
    columns,
    kind: 'functions',
    functions,
    ordinality: false,
    lateral: true,
  } as const;
  return { ...select, targets, from: [...select.from, { kind: 'relation', relation }] };
}
