import type { Expression } from '@sluice/core/expression';
import { orderFunction, textFunction } from '@sluice/core/flow/text-orders';
import type { ValueType } from '@sluice/core/plan';
import { checkDeterministic, FIRST_USER_OID, orderedType } from './comparing.js';
import { elementOfRange } from './element-of-range.js';
import { NotExpressible } from './expression-reasons.js';
import type { Facts } from './facts.js';
import type { Lifted } from './lifted.js';
import type { Scalar, ScalarOf } from './query-tree.js';
import { baseOf, printsAlike, typeOfScalar, valueTypeOf } from './value-type.js';

export interface ToExpression {
  readonly facts: Facts;
  /** Where constants and parameters get their numbers. */
  readonly lifted: Pick<Lifted, 'param' | 'constant'>;
  /**
   * What stands at hand: a column of the row for a column, an aggregate, a key of the groups, a subquery. Asked
   * before anything else, from the outside in; undefined for what is to be computed.
   */
  readonly atHand: (scalar: Scalar) => Expression | undefined;
}

/**
 * An expression for the engine. Whether the engine has its functions is not asked here: `compileExpression` says.
 * @throws NotExpressible with the reason for the re-run gear.
 */
export function toExpression(scalar: Scalar, context: ToExpression): Expression {
  const known = context.atHand(scalar);
  if (known !== undefined) return known;
  const to = (one: Scalar): Expression => toExpression(one, context);
  const all = (many: readonly Scalar[]): readonly Expression[] => many.map((one) => to(one));
  switch (scalar.kind) {
    case 'constant':
      return { op: 'param', param: context.lifted.constant(scalar.value, scalar.type) };
    case 'param':
      return { op: 'param', param: context.lifted.param(scalar.param, scalar.type) };
    case 'call':
      return callOf(scalar, context);
    case 'and':
    case 'or':
      return { op: scalar.kind, args: all(scalar.args) };
    case 'not':
      return { op: 'not', arg: to(scalar.arg) };
    case 'is null':
    case 'is not null':
      return nullTest(scalar, context);
    case 'is':
      return { op: 'is', arg: to(scalar.arg), value: scalar.value, negated: scalar.negated };
    case 'distinct':
    case 'nullif': {
      const { left, right } = scalar;
      const compared = { fn: functionName(scalar.fn, context), left: to(left), right: to(right) };
      const types = typesOf([left, right], scalar.collation, scalar.fn, context);
      return scalar.kind === 'distinct'
        ? { op: 'distinct', ...compared, ...types, negated: false }
        : { op: 'nullif', ...compared, ...types };
    }
    case 'any':
    case 'all':
      return quantified(scalar, context);
    case 'case':
      return {
        op: 'case',
        arms: scalar.arms.map(({ when, result }) => [to(when), to(result)] as const),
        otherwise: to(scalar.otherwise),
      };
    case 'coalesce':
      return { op: 'coalesce', args: all(scalar.args) };
    case 'greatest':
    case 'least':
      return {
        op: scalar.kind,
        args: all(scalar.args),
        type: orderedType(scalar.type.oid, scalar.collation, context.facts),
      };
    case 'array': {
      const type = valueTypeOf(
        scalar.nested ? scalar.type.oid : scalar.element,
        scalar.type.collation,
        context.facts,
      );
      return { op: 'array', args: all(scalar.elements), type };
    }
    case 'compare rows':
      return comparedRows(scalar, context);
    case 'row':
      return { op: 'row', args: all(scalar.fields) };
    case 'subscript':
      return subscript(scalar, context);
    case 'relabel':
      return relabelled(scalar, context);
    case 'collate':
      return to(scalar.arg);
    case 'order of':
    case 'text of': {
      const name = scalar.kind === 'order of' ? orderFunction : textFunction;
      return { op: 'call', fn: name(scalar.collation), args: [to(scalar.arg)] };
    }
    case 'io cast':
      return throughText(scalar, context);
    case 'array cast':
      return arrayCast(scalar, context);
    default:
      throw new NotExpressible(CAUSES[scalar.kind], subjectOf(scalar, context.facts));
  }
}

function subjectOf(scalar: Scalar, facts: Facts): string | null {
  if (scalar.kind === 'unknown') return WORDS[scalar.tag] ?? scalar.tag;
  return scalar.kind === 'undecoded' ? (facts.types.get(scalar.type.oid)?.name ?? null) : null;
}

/** What stands in a query for nodes of Postgres's trees that have no form here. */
const WORDS: Readonly<Record<string, string>> = {
  JSONCONSTRUCTOREXPR: 'JSON_OBJECT, JSON_ARRAY, JSON_SCALAR, JSON_SERIALIZE or JSON()',
  JSONISPREDICATE: 'IS JSON',
  JSONEXPR: 'JSON_VALUE, JSON_QUERY or JSON_EXISTS',
  JSONVALUEEXPR: 'FORMAT JSON',
  XMLEXPR: 'XML',
};

const CAUSES = {
  column: 'column',
  undecoded: 'constant',
  field: 'row',
  'row cast': 'row',
  'domain cast': 'domain',
  element: 'cast',
  value: 'clock',
  aggregate: 'aggregate',
  grouping: 'aggregate',
  window: 'aggregate',
  exists: 'subquery',
  subquery: 'subquery',
  'array of': 'subquery',
  'any of': 'subquery',
  'all of': 'subquery',
  'row of': 'subquery',
  'subquery column': 'subquery',
  unknown: 'unknown',
} as const;

function callOf(call: ScalarOf<'call'>, context: ToExpression): Expression {
  if (call.returnsSet) throw new NotExpressible('function_of_sets');
  const fact = context.facts.functions.get(call.fn);
  // The arguments after the last one are an array already, but of a function that takes any.
  if (call.variadic && fact?.signature.endsWith('"any")') !== false)
    throw new NotExpressible('function_variadic');
  const expression: Expression = {
    op: 'call',
    fn: functionName(call.fn, context),
    args: call.args.map((arg) => toExpression(arg, context)),
    ...typesOf(call.args, call.collation, call.fn, context),
    // Which range is made, its bounds do not say.
    ...(MAKING_RANGES.test(fact?.source ?? '')
      ? { types: [valueTypeOf(call.type.oid, call.collation, context.facts)] }
      : {}),
  };
  return elementOfRange(expression, call.args, fact);
}

const MAKING_RANGES = /^range_constructor[23]$/;

/** A C function by its own name, one that Postgres defines in SQL by its signature. */
function functionName(oid: number, { facts }: ToExpression): string {
  const fact = facts.functions.get(oid);
  if (fact === undefined) throw new NotExpressible('unknown');
  if (oid >= FIRST_USER_OID) throw new NotExpressible('function_of_application', fact.name);
  if (fact.volatility === 'v') throw new NotExpressible('function_volatile', fact.name);
  if (fact.language === 'internal') return fact.source;
  if (fact.language === 'sql') return fact.signature;
  throw new NotExpressible('unknown', fact.name);
}

/** The types of the arguments, where the function's name alone does not say. */
function typesOf(
  args: readonly Scalar[],
  collation: number,
  fn: number,
  { facts }: ToExpression,
): { readonly types?: readonly ValueType[] } {
  checkDeterministic(collation, facts);
  if (CASING.test(facts.functions.get(fn)?.source ?? '') && !hasCase(collation, facts))
    throw new NotExpressible('collation_case');
  checkDetermined(args, collation);
  const types = args.map((arg) => typeOfScalar(arg, collation, facts));
  const says = facts.functions.get(fn)?.polymorphic !== true && types.every(({ kind }) => PLAIN.has(kind));
  return says ? {} : { types };
}

/** Functions that know capital letters from small ones. */
const CASING = /^(lower|upper|initcap|.*ic(not)?(like|nlike|regexeq|regexne))$/;

function hasCase(collation: number, facts: Facts): boolean {
  return facts.collations.get(collation)?.usualCase !== false;
}

/** Arguments of several collations have none: Postgres raises an error as soon as it is needed. */
function checkDetermined(args: readonly Scalar[], collation: number): void {
  if (collation === 0 && args.some(({ type }) => type.collation !== 0))
    throw new NotExpressible('collation_undetermined');
}

const PLAIN: ReadonlySet<ValueType['kind']> = new Set([
  'bool',
  'int',
  'numeric',
  'float',
  'uuid',
  'bytea',
  'date',
  'timestamp',
  'timestamptz',
  'time',
  'timetz',
  'interval',
  'json',
  'jsonb',
  'inet',
  'mac',
  'bits',
]);

function quantified(scalar: ScalarOf<'any' | 'all'>, context: ToExpression): Expression {
  const { facts } = context;
  const element = baseOf(scalar.array.type.oid, facts)?.element ?? null;
  if (element === null) throw new NotExpressible('unknown');
  checkDeterministic(scalar.collation, facts);
  const type = valueTypeOf(element, scalar.collation, facts);
  const left = valueTypeOf(scalar.left.type.oid, scalar.collation, facts);
  return {
    op: scalar.kind,
    fn: functionName(scalar.fn, context),
    left: toExpression(scalar.left, context),
    array: toExpression(scalar.array, context),
    type,
    ...(JSON.stringify(left) === JSON.stringify(type) ? {} : { types: [left, type] }),
  };
}

/** Of a row that is written out: whether all its fields are null, or none is. */
function nullTest(scalar: ScalarOf<'is null' | 'is not null'>, context: ToExpression): Expression {
  const op = scalar.kind === 'is null' ? 'is_null' : 'is_not_null';
  if (!scalar.ofRow) return { op, arg: toExpression(scalar.arg, context) };
  if (scalar.arg.kind !== 'row') throw new NotExpressible('row');
  return { op: 'and', args: scalar.arg.fields.map((field) => ({ op, arg: toExpression(field, context) })) };
}

/**
 * By the first column in which they differ; unknown when a NULL comes before it. Of `<` and `<=` alike the columns
 * before the last one decide where they are not equal.
 */
function comparedRows(rows: ScalarOf<'compare rows'>, context: ToExpression): Expression {
  const isStrict = rows.comparison.length === 1;
  const not = (arg: Expression): Expression => ({ op: 'not', arg });
  const from = (at: number): Expression => {
    const [left, right] = [rows.left[at], rows.right[at]];
    const fn = context.facts.operators.get(rows.operators[at] ?? 0)?.fn;
    if (left === undefined || right === undefined || fn === undefined) throw new NotExpressible('row');
    const compare = (one: Scalar, other: Scalar): Expression => ({
      op: 'call',
      fn: functionName(fn, context),
      args: [toExpression(one, context), toExpression(other, context)],
      ...typesOf([one, other], rows.collations[at] ?? 0, fn, context),
    });
    const [type, other] = [left, right].map((one) =>
      orderedType(one.type.oid, rows.collations[at] ?? 0, context.facts),
    );
    if (type?.kind !== other?.kind) throw new NotExpressible('row');
    if (at === rows.left.length - 1) return compare(left, right);
    const decides = isStrict ? compare(left, right) : not(compare(right, left));
    const goesOn = isStrict ? not(compare(right, left)) : compare(left, right);
    return { op: 'or', args: [decides, { op: 'and', args: [goesOn, from(at + 1)] }] };
  };
  return from(0);
}

const JSONB = 3802;

function subscript({ base, upper, lower }: ScalarOf<'subscript'>, context: ToExpression): Expression {
  if (lower.length > 0) throw new NotExpressible('slice');
  const container = baseOf(base.type.oid, context.facts);
  const isArray = (container?.element ?? null) !== null;
  if (!isArray && container?.oid !== JSONB) throw new NotExpressible('unknown');
  const indexes = upper.map((index) => {
    if (index === null) throw new NotExpressible('slice');
    return index;
  });
  const args = [base, ...indexes];
  return {
    op: 'call',
    fn: isArray ? 'array_subscript_handler' : 'jsonb_subscript_handler',
    args: args.map((arg) => toExpression(arg, context)),
    types: args.map((arg) => valueTypeOf(arg.type.oid, arg.type.collation, context.facts)),
  };
}

/** The output function of the one type within the input function of the other. */
function throughText(cast: ScalarOf<'io cast'>, context: ToExpression): Expression {
  const { facts } = context;
  const from = baseOf(cast.arg.type.oid, facts);
  const into = facts.types.get(cast.type.oid);
  if (from === undefined || into === undefined) throw new NotExpressible('unknown');
  if (into.base !== null) throw new NotExpressible('domain');
  for (const { oid, name } of [from, into])
    if (
      oid >= FIRST_USER_OID &&
      facts.types.get(oid)?.ordered === null &&
      facts.types.get(oid)?.element === null
    )
      throw new NotExpressible('function_of_application', name);
  const printed = call(
    from.output,
    toExpression(cast.arg, context),
    valueTypeOf(from.oid, cast.arg.type.collation, facts),
  );
  return call(into.input, printed, valueTypeOf(into.oid, cast.type.collation, facts));
}

function call(fn: string, arg: Expression, type: ValueType): Expression {
  return { op: 'call', fn, args: [arg], ...(PLAIN.has(type.kind) ? {} : { types: [type] }) };
}

/**
 * A cast that leaves the bytes as they are. A `cidr` shows its prefix always, an `inet` where it is not the whole
 * address: as `abbrev` of an `inet` does.
 */
function relabelled({ arg, type }: ScalarOf<'relabel'>, context: ToExpression): Expression {
  const { facts } = context;
  const value = toExpression(arg, context);
  if (printsAlike(arg.type.oid, type.oid, facts)) return value;
  if (baseOf(arg.type.oid, facts)?.output !== 'cidr_out' || baseOf(type.oid, facts)?.output !== 'inet_out')
    throw new NotExpressible('cast');
  return { op: 'call', fn: 'inet_abbrev', args: [value] };
}

/** Only where each element stays as it is. */
function arrayCast(cast: ScalarOf<'array cast'>, context: ToExpression): Expression {
  const same =
    cast.each.kind === 'element' || (cast.each.kind === 'relabel' && cast.each.arg.kind === 'element');
  if (!same || !printsAlike(cast.arg.type.oid, cast.type.oid, context.facts))
    throw new NotExpressible('cast');
  return toExpression(cast.arg, context);
}
