import { must, unreachable } from '../assert.js';
import type { Call, Expression } from '../expression.js';
import type { Binding, ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { parseArrayElements } from '../engine/array-text.js';
import { comparator, equalityKey, type TypeRules } from '../engine/compare.js';
import { notReproduced } from './errors.js';
import { isOrdered } from './ordered.js';
import type { Evaluator, Family } from './registry.js';

/**
 * The value of an expression for a row under a binding. NULL logic is Postgres's; AND, OR, CASE and COALESCE
 * evaluate from left to right and no further than they need.
 * @throws PgError what Postgres would raise
 * @throws NotReproduced when only Postgres knows
 */
export type Evaluate = (row: readonly PgText[], binding: Binding) => PgText;

/** What expressions are compiled with: of the kernel, and of the chunks that are loaded. */
export interface ExpressionPieces {
  readonly functions: Family;
  readonly types: TypeRules;
  readonly builders: Builders;
}

/** What makes values of others: `ARRAY[…]` of a type, `ROW(…)`. */
export interface Builders {
  readonly array?: (type: ValueType) => (elements: readonly PgText[]) => string;
  readonly row?: (fields: readonly PgText[]) => string;
}

/** As a condition: true, false, or null for unknown. */
export type Condition = (row: readonly PgText[], binding: Binding) => boolean | null;

/**
 * @param pieces those of the chunks that the expression needs among them
 * @throws NotReproduced when a function is not among them, or not reproduced for its types
 */
export function compileCondition(expression: Expression, pieces: ExpressionPieces): Condition {
  const value = compileExpression(expression, pieces);
  return (row, binding) => truth(value(row, binding));
}

/** @throws NotReproduced as `compileCondition` */
export function compileExpression(expression: Expression, pieces: ExpressionPieces): Evaluate {
  const compile = (part: Expression): Evaluate => compileExpression(part, pieces);
  switch (expression.op) {
    case 'column': {
      const { column } = expression;
      return (row) => row[column] ?? null;
    }
    case 'param': {
      const { param } = expression;
      return (_row, binding) => binding[param] ?? null;
    }
    case 'call':
      return call(expression, pieces);
    case 'and':
    case 'or':
      return junction(expression.op === 'or', expression.args.map(compile));
    case 'not': {
      const arg = compile(expression.arg);
      return (row, binding) => negate(arg(row, binding));
    }
    case 'is_null':
    case 'is_not_null': {
      const arg = compile(expression.arg);
      const wanted = expression.op === 'is_null';
      return (row, binding) => ((arg(row, binding) === null) === wanted ? 't' : 'f');
    }
    case 'is': {
      const { value, negated } = expression;
      const arg = compile(expression.arg);
      return (row, binding) => ((truth(arg(row, binding)) === value) !== negated ? 't' : 'f');
    }
    case 'coalesce':
      return coalesce(expression.args.map(compile));
    case 'case':
      return searched(expression, compile);
    case 'distinct':
    case 'nullif':
      return compared(expression, pieces);
    case 'any':
    case 'all':
      return quantified(expression, pieces);
    case 'greatest':
    case 'least':
      return extreme(expression, expression.args.map(compile), pieces.types);
    case 'array':
      return collected(
        expression.args.map(compile),
        must(pieces.builders.array, 'a plan names its chunks')(expression.type),
      );
    case 'row': {
      const args = expression.args.map(compile);
      const print = must(pieces.builders.row, 'a plan names its chunks');
      return (row, binding) => print(args.map((arg) => arg(row, binding)));
    }
    default:
      return unreachable(expression);
  }
}

function call(expression: Call, pieces: ExpressionPieces): Evaluate {
  const run = bind(expression.fn, expression.types ?? [], pieces);
  const args = expression.args.map((arg) => compileExpression(arg, pieces));
  return pieces.functions[expression.fn]?.strict === false
    ? (row, binding) => run(...args.map((arg) => arg(row, binding)))
    : nullForNull(run, args);
}

/** All arguments are evaluated, since each may raise an error; the function is called when none is null. */
function nullForNull(run: Evaluator, args: readonly Evaluate[]): Evaluate {
  const [first, second] = args;
  if (args.length === 1 && first) {
    return (row, binding) => {
      const a = first(row, binding);
      return a === null ? null : run(a);
    };
  }
  if (args.length === 2 && first && second) {
    return (row, binding) => {
      const a = first(row, binding);
      const b = second(row, binding);
      return a === null || b === null ? null : run(a, b);
    };
  }
  return (row, binding) => {
    const values = args.map((arg) => arg(row, binding));
    return values.includes(null) ? null : run(...values);
  };
}

function bind(
  fn: string,
  types: readonly ValueType[],
  { functions, types: rules }: ExpressionPieces,
): Evaluator {
  const entry = Object.hasOwn(functions, fn) ? functions[fn] : undefined;
  return entry ? entry.bind(types, rules) : notReproduced(`the function ${fn}`);
}

function truth(value: PgText): boolean | null {
  return value === null ? null : value === 't';
}

function negate(value: PgText): PgText {
  return value === null ? null : value === 't' ? 'f' : 't';
}

function junction(isOr: boolean, args: readonly Evaluate[]): Evaluate {
  const decisive = isOr ? 't' : 'f';
  const otherwise = isOr ? 'f' : 't';
  return (row, binding) => {
    let result: PgText = otherwise;
    for (const arg of args) {
      const value = arg(row, binding);
      if (value === decisive) return decisive;
      if (value === null) result = null;
    }
    return result;
  };
}

function coalesce(args: readonly Evaluate[]): Evaluate {
  return (row, binding) => {
    for (const arg of args) {
      const value = arg(row, binding);
      if (value !== null) return value;
    }
    return null;
  };
}

function searched(
  expression: Extract<Expression, { op: 'case' }>,
  compile: (part: Expression) => Evaluate,
): Evaluate {
  const arms = expression.arms.map(([when, then]) => [compile(when), compile(then)] as const);
  const otherwise = compile(expression.otherwise);
  return (row, binding) => {
    for (const [when, then] of arms) if (when(row, binding) === 't') return then(row, binding);
    return otherwise(row, binding);
  };
}

function compared(
  expression: Extract<Expression, { op: 'distinct' | 'nullif' }>,
  pieces: ExpressionPieces,
): Evaluate {
  const left = compileExpression(expression.left, pieces);
  const right = compileExpression(expression.right, pieces);
  const equal = bind(expression.fn, expression.types ?? [], pieces);
  if (expression.op === 'nullif') {
    return (row, binding) => {
      const a = left(row, binding);
      const b = right(row, binding);
      return a !== null && b !== null && equal(a, b) === 't' ? null : a;
    };
  }
  const whenEqual = expression.negated === true ? 't' : 'f';
  const whenDistinct = expression.negated === true ? 'f' : 't';
  return (row, binding) => {
    const a = left(row, binding);
    const b = right(row, binding);
    const same = a === null || b === null ? a === b : equal(a, b) === 't';
    return same ? whenEqual : whenDistinct;
  };
}

/** Equalities under which both sides have the same text, or the same decimal, exactly when they are equal. */
const KEYED =
  /^(int\d\d?eq|numeric_eq|float8eq|float4eq|texteq|date_eq|timestamp_eq|uuid_eq|byteaeq|booleq|enum_eq)$/;

function quantified(
  expression: Extract<Expression, { op: 'any' | 'all' }>,
  pieces: ExpressionPieces,
): Evaluate {
  const left = compileExpression(expression.left, pieces);
  const array = compileExpression(expression.array, pieces);
  const types = expression.types ?? [expression.type, expression.type];
  const run = bind(expression.fn, types, pieces);
  const decisive = expression.op === 'any' ? 't' : 'f';
  const otherwise = expression.op === 'any' ? 'f' : 't';
  const keyOf =
    decisive === 't' && KEYED.test(expression.fn) ? equalityKey(expression.type, pieces.types) : null;
  const elementsOf = lastArray(keyOf);
  return (row, binding) => {
    const value = left(row, binding);
    const text = array(row, binding);
    if (text === null) return null;
    const { elements, keys, hasNull } = elementsOf(text);
    if (elements.length === 0) return otherwise;
    if (value === null) return null;
    if (keys && keyOf) return keys.has(keyOf(value)) ? 't' : hasNull ? null : 'f';
    let result: PgText = otherwise;
    for (const element of elements) {
      const outcome = element === null ? null : run(value, element);
      if (outcome === decisive) return decisive;
      if (outcome === null) result = null;
    }
    return result;
  };
}

interface Elements {
  readonly elements: readonly PgText[];
  readonly keys: ReadonlySet<string> | null;
  readonly hasNull: boolean;
}

/** Takes an array apart; the last one is remembered, since it is mostly a parameter. */
function lastArray(keyOf: ((value: string) => string) | null): (text: string) => Elements {
  let lastText: string | null = null;
  let last: Elements = { elements: [], keys: null, hasNull: false };
  return (text) => {
    if (text === lastText) return last;
    const elements = parseArrayElements(text);
    const present = elements.filter((element): element is string => element !== null);
    lastText = text;
    last = {
      elements,
      keys: keyOf && new Set(present.map(keyOf)),
      hasNull: present.length < elements.length,
    };
    return last;
  };
}

function extreme(
  expression: Extract<Expression, { op: 'greatest' | 'least' }>,
  args: readonly Evaluate[],
  rules: TypeRules,
): Evaluate {
  const { type } = expression;
  if (!isOrdered(type)) notReproduced(`the order of ${type.kind}`);
  const compare = comparator(type, rules);
  const sign = expression.op === 'greatest' ? 1 : -1;
  return (row, binding) => {
    let best: PgText = null;
    for (const arg of args) {
      const value = arg(row, binding);
      if (value !== null && (best === null || sign * compare(value, best) > 0)) best = value;
    }
    return best;
  };
}

function collected(args: readonly Evaluate[], build: (elements: readonly PgText[]) => string): Evaluate {
  return (row, binding) => build(args.map((arg) => arg(row, binding)));
}
