import type { Expression } from '@sluice/core/expression';
import { partsOf, withParts } from '@sluice/core/expression/parts';
import type { Block, Input } from '@sluice/core/flow/plan';
import { NotABlock } from './reasons.js';

/**
 * What Postgres works out of a plan's expressions before it runs the query, over the parameters of the query itself: what it
 * raises it raises though no row is ever looked at. These are the largest parts that read no row; and those that read none
 * once it has seen that of a CASE, a COALESCE, an AND or an OR only such a part counts (Postgres,
 * `eval_const_expressions`): of `1 / CASE WHEN $1 THEN 0 ELSE n END` it is `CASE WHEN $1 THEN 1 / 0 END`.
 * @throws NotABlock where that is too long to be told
 */
export function constantParts(plan: Block): readonly Expression[] {
  const found = new Map<string, Expression>();
  visitBlock(plan, (param) => param, found);
  return [...found.values()];
}

/** The number that a block's parameter has in the query; null when it is of a row. */
type Origin = (param: number) => number | null;

function visitBlock({ inputs, ...block }: Block, origin: Origin, found: Map<string, Expression>): void {
  visit(block, origin, found);
  for (const { of, on, demand } of inputs) {
    visit(on, origin, found);
    if (of.kind === 'block') visitBlock(of.block, originBelow(demand, origin), found);
  }
}

/** A subquery's parameters are the pairs of its demand. */
function originBelow({ parent, pairs }: Input['demand'], origin: Origin): Origin {
  return (param) => {
    const pair = pairs.find(({ column }) => column === param);
    if (pair === undefined || (parent !== null && pair.ofParams !== true)) return null;
    return origin(pair.parentColumn);
  };
}

function visit(node: unknown, origin: Origin, found: Map<string, Expression>): void {
  if (typeof node !== 'object' || node === null) return;
  if (isExpression(node)) visitExpression(overQuery(node, origin), found);
  else for (const part of Object.values(node)) visit(part, origin, found);
}

const SET_OPERATIONS: ReadonlySet<unknown> = new Set(['union', 'intersect', 'except']);

function isExpression(node: object): node is Expression {
  return 'op' in node && !SET_OPERATIONS.has(node.op);
}

/** A parameter that is of a row is read like a column. */
const OF_ROW: Expression = { op: 'column', column: 0 };

/** The expression with the numbers that parameters have in the query. */
function overQuery(expression: Expression, origin: Origin): Expression {
  if (expression.op === 'column') return OF_ROW;
  if (expression.op !== 'param')
    return withParts(
      expression,
      partsOf(expression).map((part) => overQuery(part, origin)),
    );
  const param = origin(expression.param);
  return param === null ? OF_ROW : { op: 'param', param };
}

function visitExpression(expression: Expression, found: Map<string, Expression>): void {
  if (expression.op === 'column' || expression.op === 'param') return;
  const folded = foldedOf(expression);
  if (folded !== null && (folded.when === ALWAYS || !CHOOSES.has(expression.op))) {
    const whole = folded.when === ALWAYS ? expression : oneOf([folded]);
    found.set(JSON.stringify(whole), whole);
  }
  if (folded?.when !== ALWAYS) for (const part of partsOf(expression)) visitExpression(part, found);
}

/** What these come to is a part of theirs, or a truth value. */
const CHOOSES: ReadonlySet<Expression['op']> = new Set(['case', 'coalesce', 'and', 'or']);

/** What an expression comes to without a row, and when it does: both read none. */
interface Folded {
  readonly when: Expression;
  readonly value: Expression;
  /** How many parts it has, about. */
  readonly size: number;
}

const ALWAYS: Expression = { op: 'and', args: [] };
const SIZE_MAX = 10_000;

/** Null where it reads a row whatever the parameters are. */
function foldedOf(expression: Expression): Folded | null {
  if (isConstant(expression)) return { when: ALWAYS, value: expression, size: 1 };
  switch (expression.op) {
    case 'column':
      return null;
    case 'case':
      return chosen([...expression.arms, [ALWAYS, expression.otherwise]], (test) => is(test, true));
    case 'coalesce':
      return chosen(
        expression.args.map((arg) => [arg, arg]),
        (test) => ({ op: 'is_not_null', arg: test }),
      );
    case 'and':
    case 'or':
      return anyOf([
        ...expression.args.map((arg) => decided(arg, expression.op === 'or')),
        whole(expression),
      ]);
    default:
      return whole(expression);
  }
}

/** What all of its parts come to. */
function whole(expression: Expression): Folded | null {
  const all = partsOf(expression).map(foldedOf);
  const parts = all.filter((part) => part !== null);
  if (parts.length < all.length) return null;
  const values = parts.map(({ value }) => value);
  return folded(
    parts.map(({ when }) => when),
    withParts(expression, values),
    parts,
  );
}

/** It alone decides: an OR where it is true, an AND where it is false. */
function decided(arg: Expression, value: boolean): Folded | null {
  const part = foldedOf(arg);
  return part && folded([part.when, is(part.value, value)], part.value, [part, part]);
}

function isConstant(expression: Expression): boolean {
  return expression.op !== 'column' && partsOf(expression).every(isConstant);
}

/** The first result of which the test counts: as far as that is seen without a row. */
function chosen(
  arms: readonly (readonly [test: Expression, result: Expression])[],
  counts: (test: Expression) => Expression,
): Folded | null {
  const found: (Folded | null)[] = [];
  const before: Expression[] = [];
  const tests: Folded[] = [];
  for (const [test, result] of arms) {
    const tested = foldedOf(test);
    if (tested === null) break;
    const meets = counts(tested.value);
    const value = foldedOf(result);
    tests.push(tested);
    found.push(value && folded([...before, tested.when, meets, value.when], value.value, [...tests, value]));
    before.push(tested.when, { op: 'not', arg: meets });
  }
  return anyOf(found);
}

function anyOf(some: readonly (Folded | null)[]): Folded | null {
  const found = some.filter((one) => one !== null);
  if (found.length === 0) return null;
  const when: Expression = { op: 'or', args: found.map((one) => one.when) };
  return folded([when], oneOf(found), [...found, ...found]);
}

function oneOf(found: readonly Folded[]): Expression {
  return { op: 'case', arms: found.map(({ when, value }) => [when, value]), otherwise: NOTHING };
}

/** NULL. */
const NOTHING: Expression = { op: 'coalesce', args: [] };

/** @param when in this order, each if those before it hold @param of what it is made of */
function folded(when: readonly Expression[], value: Expression, of: readonly Folded[]): Folded {
  const size = of.reduce((sum, one) => sum + one.size, 1);
  if (size > SIZE_MAX) throw new NotABlock('folded');
  const args = when.filter((one) => one !== ALWAYS);
  return { when: args.length === 0 ? ALWAYS : { op: 'and', args }, value, size };
}

function is(arg: Expression, value: boolean): Expression {
  return { op: 'is', arg, value, negated: false };
}
