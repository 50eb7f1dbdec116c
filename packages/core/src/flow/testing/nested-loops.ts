import { compileExpression } from '../../expression/compile.js';
import { ALL_PIECES } from '../../chunks/all.js';
import type { Expression } from '../../expression.js';
import type { PgText } from '../../value.js';
import type { Block, ComputedRows, Input, SetOperation, Sets } from '../plan.js';
import { identity } from '../row.js';

/*
 * The specification of the engine: a block's rows by nested loops over tables of small integers and NULLs. It knows
 * nothing of changes.
 */

/** Rows of each table by their key. */
export type Tables = readonly Map<string, readonly PgText[]>[];

function evaluate(expression: Expression, flat: readonly PgText[], params: readonly PgText[]): PgText {
  return compileExpression(expression, ALL_PIECES)(flat, params);
}

const holds = (
  conditions: readonly Expression[],
  flat: readonly PgText[],
  params: readonly PgText[],
): boolean => conditions.every((condition) => evaluate(condition, flat, params) === 't');

function rowsOf(
  input: Input,
  tables: Tables,
  above: readonly PgText[],
  outer: readonly PgText[],
): readonly (readonly PgText[])[] {
  const { of, demand } = input;
  if (of.kind === 'block') {
    const params = demand.pairs.map(
      ({ parentColumn, ofParams }) => (ofParams === true ? outer : above)[parentColumn] ?? null,
    );
    return answer(of.block, tables, params);
  }
  return [...(tables[of.table]?.values() ?? [])].filter((row) =>
    demand.pairs.every(({ column, parentColumn }) => {
      const value = above[parentColumn] ?? null;
      return value !== null && row[column] === value;
    }),
  );
}

function joined(block: Block, tables: Tables, params: readonly PgText[]): (readonly PgText[])[] {
  const width = block.inputs.reduce((sum, { offset, width: own }) => Math.max(sum, offset + own), 0);
  let flats: { flat: PgText[]; present: boolean[] }[] = [
    { flat: Array.from({ length: width }, () => null), present: [] },
  ];
  for (const input of block.inputs) {
    flats = flats.flatMap(({ flat, present }) => {
      const { parent } = input.demand;
      const parentInput = parent === null ? null : block.inputs[parent];
      const above = parentInput
        ? flat.slice(parentInput.offset, parentInput.offset + parentInput.width)
        : params;
      // Of a row that is not there a subquery reads NULLs.
      const isAbove = parent === null || present[parent] === true || input.of.kind === 'block';
      const candidates = isAbove ? rowsOf(input, tables, above, params) : [];
      const withRow = candidates.map((row) => {
        const next = [...flat];
        row.slice(0, input.width).forEach((value, at) => (next[input.offset + at] = value));
        return { flat: next, present: [...present, true] };
      });
      const found = withRow.filter((one) => holds(input.on, one.flat, params));
      if (input.join === 'exists') {
        const next = [...flat];
        next[input.offset] = found.length > 0 ? 't' : 'f';
        return [{ flat: next, present: [...present, false] }];
      }
      if (input.join === 'left' && found.length === 0) return [{ flat, present: [...present, false] }];
      return found;
    });
  }
  return flats.map(({ flat }) => flat).filter((flat) => holds(block.where, flat, params));
}

/** UNION, INTERSECT, EXCEPT as lists: each row of the one side takes a row of the other away. */
function combined(
  block: Block,
  sets: Sets,
  tables: Tables,
  params: readonly PgText[],
): (readonly PgText[])[] {
  const of = (operation: SetOperation): (readonly PgText[])[] => {
    if ('input' in operation) {
      const input = block.inputs[operation.input];
      const columns = sets.arms[operation.input] ?? [];
      const rows = input ? rowsOf(input, tables, params, params) : [];
      return rows.map((row) => ['', ...columns.map((column) => evaluate(column, row, params))]);
    }
    const [left, right] = [of(operation.left), of(operation.right)];
    const all = operation.op === 'union' ? [...left, ...right] : matched(left, right, operation);
    return operation.all ? all : [...new Map(all.map((row) => [row.map(identity).join(''), row])).values()];
  };
  return of(sets.operation);
}

function matched(
  left: readonly (readonly PgText[])[],
  right: readonly (readonly PgText[])[],
  { op, all }: { readonly op: string; readonly all: boolean },
): (readonly PgText[])[] {
  const others = right.map((row) => row.map(identity).join(''));
  return left.filter((row) => {
    const at = others.indexOf(row.map(identity).join(''));
    if (at >= 0 && all) others.splice(at, 1);
    return at >= 0 === (op === 'intersect');
  });
}

/** Lists side by side. Of functions those that count from one integer to another. */
function made({ lists, ordinality }: ComputedRows, params: readonly PgText[]): (readonly PgText[])[] {
  const all = lists.map((list) => {
    const of = (expression: Expression): PgText => evaluate(expression, [], params);
    if (list.kind === 'values') return list.rows.map((row) => row.map(of));
    const [first = null, last = null] = list.args.map(of);
    if (first === null || last === null) return [];
    const count = Math.max(0, Number(last) - Number(first) + 1);
    return Array.from({ length: count }, (_, at) => [String(Number(first) + at)]);
  });
  const rows: (readonly PgText[])[] = [];
  for (let at = 0; all.some((list) => at < list.length); at++)
    rows.push([
      ...lists.flatMap(({ width }, of) => all[of]?.[at] ?? Array.from({ length: width }, () => null)),
      ...(ordinality ? [String(at + 1)] : []),
    ]);
  return rows;
}

/** The rows of a block for one binding, from nothing; in its order. */
export function answer(block: Block, tables: Tables, params: readonly PgText[]): (readonly PgText[])[] {
  let rows = block.rows
    ? made(block.rows, params).filter((row) => holds(block.where, row, params))
    : block.sets
      ? combined(block, block.sets, tables, params)
      : joined(block, tables, params);
  const { group } = block;
  if (group !== null) {
    const groups = new Map<string, { keys: PgText[]; flats: (readonly PgText[])[] }>();
    if (group.keys.length === 0) groups.set('', { keys: [], flats: [] });
    for (const flat of rows) {
      const keys = group.keys.map((key) => evaluate(key, flat, params));
      const key = keys.map(identity).join('');
      const known = groups.get(key) ?? { keys, flats: [] };
      known.flats.push(flat);
      groups.set(key, known);
    }
    rows = [...groups.values()].map(({ keys, flats }) => [
      ...keys,
      ...group.aggregates.map(({ fn, args, filter, distinct }) => {
        let values = flats
          .filter((flat) => filter === null || evaluate(filter, flat, params) === 't')
          .map((flat) => (args[0] ? evaluate(args[0], flat, params) : ''))
          .filter((value): value is string => value !== null);
        if (distinct) values = [...new Set(values)];
        if (fn.startsWith('count')) return String(values.length);
        if (values.length === 0) return null;
        const numbers = values.map(Number);
        if (fn === 'sum_int8') return String(numbers.reduce((sum, value) => sum + value, 0));
        return String(fn === 'min' ? Math.min(...numbers) : Math.max(...numbers));
      }),
    ]);
    rows = rows.filter((row) => holds(group.having, row, params));
  }
  rows = rows.map((row) => block.project.map((one) => evaluate(one, row, params)));
  if (block.distinct) rows = [...new Map(rows.map((row) => [row.map(identity).join(''), row])).values()];
  return cut(block, rows, params);
}

/** Rows that are equal in the order are equal: which of them a limit leaves is no question. */
function cut(block: Block, rows: (readonly PgText[])[], params: readonly PgText[]): (readonly PgText[])[] {
  const bound = (param: number | null, absent: number): number => {
    const text = param === null ? null : (params[param] ?? null);
    return text === null ? absent : Number(text);
  };
  const offset = bound(block.offset, 0);
  const sorted = rows.toSorted((a, b) => byOrder(block, a, b));
  const shown = sorted.slice(offset, offset + bound(block.limit, 1e9));
  const last = shown.at(-1);
  if (block.withTies !== true || last === undefined) return shown;
  return [...shown, ...sorted.slice(offset + shown.length).filter((row) => byOrder(block, row, last) === 0)];
}

function byOrder(block: Block, left: readonly PgText[], right: readonly PgText[]): number {
  for (const { column, descending, nullsFirst } of block.order) {
    const [a, b] = [left[column] ?? null, right[column] ?? null];
    if (a === b) continue;
    if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
    return (Number(a) - Number(b)) * (descending ? -1 : 1);
  }
  return 0;
}

/** As texts, where their order does not matter. */
export const sorted = (rows: readonly (readonly PgText[])[]): string[] =>
  rows.map((row) => JSON.stringify(row)).toSorted();
