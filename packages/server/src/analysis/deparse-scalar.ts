import { quoteLiteral } from '../source/quote.js';
import type { Names } from './deparse-names.js';
import { analysisError } from './errors.js';
import type { Frame, FrameBound, Query, Scalar, ScalarOf, Select, SortKey, Target } from './query-tree.js';

/** Where an expression is printed: within which SELECT, and how a query inside it is. */
export interface Printing {
  readonly names: Names;
  readonly select: Select | null;
  readonly query: (query: Query) => string;
}

/** An expression as SQL that Postgres resolves to the same: everything qualified, typed and in brackets. */
export function scalarSql(scalar: Scalar, printing: Printing): string {
  const { names } = printing;
  const sql = (one: Scalar): string => scalarSql(one, printing);
  const list = (all: readonly Scalar[]): string => all.map((one) => sql(one)).join(', ');
  switch (scalar.kind) {
    case 'column':
      return names.column(scalar.relation, scalar.column);
    case 'constant':
      return `${scalar.value === null ? 'NULL' : quoteLiteral(scalar.value)}::${names.type({ ...scalar.type, modifier: -1 })}`;
    case 'param':
      return `CAST($${scalar.param + 1} AS ${names.type({ ...scalar.type, modifier: -1 })})`;
    case 'call':
      return callSql(scalar, printing);
    case 'and':
    case 'or':
      return `(${scalar.args.map((arg) => sql(arg)).join(` ${scalar.kind.toUpperCase()} `)})`;
    case 'not':
      return `(NOT ${sql(scalar.arg)})`;
    case 'distinct':
      return `(${sql(scalar.left)} IS DISTINCT FROM ${sql(scalar.right)})`;
    case 'nullif':
      return `NULLIF(${sql(scalar.left)}, ${sql(scalar.right)})`;
    case 'any':
    case 'all': {
      // A subquery in the brackets would be compared with row by row.
      const array =
        scalar.array.kind === 'subquery'
          ? `${sql(scalar.array)}::${names.type(scalar.array.type)}`
          : sql(scalar.array);
      return `(${sql(scalar.left)} ${names.operator(scalar.operator)} ${scalar.kind.toUpperCase()} (${array}))`;
    }
    case 'is null':
    case 'is not null':
      return `(${sql(scalar.arg)} ${scalar.kind.toUpperCase()})`;
    case 'is': {
      const value = scalar.value === null ? 'UNKNOWN' : scalar.value ? 'TRUE' : 'FALSE';
      return `(${sql(scalar.arg)} IS ${scalar.negated ? 'NOT ' : ''}${value})`;
    }
    case 'case': {
      const arms = scalar.arms.map(({ when, result }) => `WHEN ${sql(when)} THEN ${sql(result)}`);
      return `CASE ${arms.join(' ')} ELSE ${sql(scalar.otherwise)} END`;
    }
    case 'coalesce':
    case 'greatest':
    case 'least':
      return `${scalar.kind.toUpperCase()}(${list(scalar.args)})`;
    case 'array':
      return `ARRAY[${list(scalar.elements)}]::${names.type({ ...scalar.type, modifier: -1 })}`;
    case 'row':
      return names.isPseudo(scalar.type.oid)
        ? `ROW(${list(scalar.fields)})`
        : `ROW(${list(scalar.fields)})::${names.type(scalar.type)}`;
    case 'compare rows':
      return `(ROW(${list(scalar.left)}) ${names.operator(scalar.operators[0] ?? 0)} ROW(${list(scalar.right)}))`;
    case 'field':
      return `(${sql(scalar.arg)}).${names.field(scalar.arg, scalar.field)}`;
    case 'subscript':
      return subscriptSql(scalar, printing);
    case 'relabel':
      return names.isPseudo(scalar.type.oid)
        ? sql(scalar.arg)
        : `CAST(${sql(scalar.arg)} AS ${names.type(scalar.type)})`;
    case 'collate':
      return `(${sql(scalar.arg)} COLLATE ${names.collation(scalar.collation)})`;
    case 'io cast':
    case 'array cast':
    case 'domain cast':
    case 'row cast':
      return `CAST(${sql(scalar.arg)} AS ${names.type(scalar.type)})`;
    case 'value':
      return scalar.type.modifier < 0 ? scalar.name : `${scalar.name}(${scalar.type.modifier})`;
    case 'aggregate':
      return aggregateSql(scalar, printing);
    case 'grouping':
      return `GROUPING(${list(scalar.args)})`;
    case 'window':
      return windowSql(scalar, printing);
    case 'exists':
      return `EXISTS (${printing.query(scalar.query)})`;
    case 'subquery':
      return `(${printing.query(scalar.query)})`;
    case 'array of':
      return `ARRAY(${printing.query(scalar.query)})`;
    case 'any of':
    case 'all of':
    case 'row of':
      return comparedSql(scalar, printing);
    case 'undecoded':
    case 'element':
    case 'subquery column':
    case 'order of':
    case 'text of':
    case 'unknown':
      throw unprintable(scalar);
  }
}

/** The columns by which something is ordered. */
export function orderSql(keys: readonly SortKey[], names: Names, of: (ref: number) => string): string {
  return keys
    .map(
      (key) =>
        `${of(key.ref)} USING ${names.operator(key.operator)} NULLS ${key.nullsFirst ? 'FIRST' : 'LAST'}`,
    )
    .join(', ');
}

/** The expression that a key names. */
export function keySql(ref: number, targets: readonly Target[], printing: Printing): string {
  const target = targets.find((one) => one.ref === ref);
  if (target === undefined) throw analysisError('analysis_unreadable', 'a key without its expression');
  return scalarSql(target.expression, printing);
}

function callSql(call: ScalarOf<'call'>, printing: Printing): string {
  const { names } = printing;
  const args = call.args.map((arg) => scalarSql(arg, printing));
  if (call.operator !== 0) {
    const operator = names.operator(call.operator);
    return names.isPrefix(call.operator)
      ? `(${operator} ${args.join('')})`
      : `(${args.join(` ${operator} `)})`;
  }
  const last = args.length - 1;
  const written = args.map((arg, at) => (call.variadic && at === last ? `VARIADIC ${arg}` : arg));
  return `${names.fn(call.fn)}(${written.join(', ')})`;
}

function subscriptSql({ base, upper, lower }: ScalarOf<'subscript'>, printing: Printing): string {
  const bound = (one: Scalar | null | undefined): string =>
    one === null || one === undefined ? '' : scalarSql(one, printing);
  const parts = upper.map((one, at) =>
    lower.length === 0 ? `[${bound(one)}]` : `[${bound(lower[at])}:${bound(one)}]`,
  );
  return `(${scalarSql(base, printing)})${parts.join('')}`;
}

function aggregateSql(aggregate: ScalarOf<'aggregate'>, printing: Printing): string {
  const { names } = printing;
  const shown = aggregate.args
    .filter(({ junk }) => !junk)
    .map(({ expression }) => scalarSql(expression, printing));
  const order = orderSql(aggregate.order, names, (ref) => keySql(ref, aggregate.args, printing));
  const filter = aggregate.filter === null ? '' : ` FILTER (WHERE ${scalarSql(aggregate.filter, printing)})`;
  const name = names.fn(aggregate.fn);
  const direct = aggregate.direct.map((one) => scalarSql(one, printing));
  const variadic = (args: readonly string[]): string =>
    args
      .map((arg, at) => (aggregate.variadic && at === args.length - 1 ? `VARIADIC ${arg}` : arg))
      .join(', ');
  if (aggregate.ordering !== 'normal') {
    const given = aggregate.ordering === 'ordered set' ? direct.join(', ') : variadic(direct);
    return `${name}(${given}) WITHIN GROUP (ORDER BY ${order})${filter}`;
  }
  const args = aggregate.star ? '*' : variadic(shown);
  const distinct = aggregate.distinct.length > 0 ? 'DISTINCT ' : '';
  return `${name}(${distinct}${args}${order === '' ? '' : ` ORDER BY ${order}`})${filter}`;
}

function windowSql(call: ScalarOf<'window'>, printing: Printing): string {
  const { names, select } = printing;
  const window = select?.windows.find(({ ref }) => ref === call.window);
  if (select === null || window === undefined) throw unprintable(call);
  const key = (ref: number): string => keySql(ref, select.targets, printing);
  const partition = window.partition.map(({ ref }) => key(ref)).join(', ');
  const order = orderSql(window.order, names, key);
  const over = [
    partition === '' ? '' : `PARTITION BY ${partition}`,
    order === '' ? '' : `ORDER BY ${order}`,
    frameSql(window.frame, printing),
  ];
  const args = call.star ? '*' : call.args.map((arg) => scalarSql(arg, printing)).join(', ');
  const filter = call.filter === null ? '' : ` FILTER (WHERE ${scalarSql(call.filter, printing)})`;
  return `${names.fn(call.fn)}(${args})${filter} OVER (${over.filter((part) => part !== '').join(' ')})`;
}

function frameSql({ mode, start, end, exclude }: Frame, printing: Printing): string {
  const bound = (one: FrameBound): string =>
    'offset' in one ? `${scalarSql(one.offset, printing)} ${one.kind.toUpperCase()}` : one.kind.toUpperCase();
  const excluded = exclude === 'nothing' ? '' : ` EXCLUDE ${exclude.toUpperCase()}`;
  return `${mode.toUpperCase()} BETWEEN ${bound(start)} AND ${bound(end)}${excluded}`;
}

function comparedSql(scalar: ScalarOf<'any of' | 'all of' | 'row of'>, printing: Printing): string {
  const { left, operator } = comparison(scalar.test);
  const lefts = left.map((one) => scalarSql(one, printing)).join(', ');
  const how = scalar.kind === 'row of' ? '' : scalar.kind === 'any of' ? ' ANY' : ' ALL';
  const row = left.length === 1 && scalar.kind !== 'row of' ? lefts : `ROW(${lefts})`;
  return `(${row} ${printing.names.operator(operator)}${how} (${printing.query(scalar.query)}))`;
}

/** What is compared with the subquery's columns, and how. */
function comparison(test: Scalar): { readonly left: readonly Scalar[]; readonly operator: number } {
  if (test.kind === 'call' && test.operator !== 0 && test.args[0] !== undefined)
    return { left: [test.args[0]], operator: test.operator };
  if (test.kind === 'compare rows') return { left: test.left, operator: test.operators[0] ?? 0 };
  if (test.kind !== 'and' && test.kind !== 'or') throw unprintable(test);
  const parts = test.args.map((arg) => comparison(arg));
  return { left: parts.flatMap(({ left }) => left), operator: parts[0]?.operator ?? 0 };
}

function unprintable(scalar: Scalar): Error {
  const what = scalar.kind === 'unknown' ? scalar.tag : scalar.kind;
  return analysisError('analysis_unavailable', `an expression that cannot be written: ${what}`);
}
