import { quoteIdentifier, quoteLiteral } from '../source/quote.js';
import { Names } from './deparse-names.js';
import { keySql, orderSql, scalarSql, type Printing } from './deparse-scalar.js';
import { analysisError } from './errors.js';
import type { Facts } from './facts.js';
import type {
  Cte,
  FunctionSource,
  Query,
  Relation,
  Scalar,
  Select,
  SetArm,
  SetOperation,
  Source,
} from './query-tree.js';

/**
 * SQL text that means what the algebra says, under any search_path: every name is qualified, every constant and
 * parameter typed. Relations are called `"#1"`, `"#2"`, … by their numbers, WITH queries `"@3"`.
 * @throws `analysis_unavailable` where something in it has no form in the algebra.
 */
export function deparse(query: Query, facts: Facts): string {
  return querySql(query, new Names(facts));
}

function querySql(query: Query, names: Names): string {
  const select = query.body.kind === 'select' ? query.body : null;
  const printing: Printing = { names, select, query: (inner) => querySql(inner, names) };
  for (const cte of query.with) names.addCte(cte);
  if (select !== null) for (const source of select.from) introduce(source, names);
  const body = query.body.kind === 'select' ? selectSql(query.body, printing) : setSql(query.body, printing);
  const order = orderSql(query.order, names, (ref) =>
    select === null ? String(ref) : placeOf(ref, select, printing),
  );
  return [
    withSql(query.with, printing),
    body,
    order === '' ? '' : `ORDER BY ${order}`,
    query.offset === null ? '' : `OFFSET ${scalarSql(query.offset, printing)}`,
    limitSql(query, printing),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function limitSql({ limit, withTies }: Query, printing: Printing): string {
  if (limit === null) return '';
  const count = scalarSql(limit, printing);
  return withTies ? `FETCH FIRST (${count}) ROWS WITH TIES` : `LIMIT ${count}`;
}

function introduce(source: Source, names: Names): void {
  if (source.kind === 'relation') return names.add(source.relation);
  introduce(source.left, names);
  introduce(source.right, names);
}

function selectSql(select: Select, printing: Printing): string {
  const { distinct } = select;
  const keys = distinct?.on === true ? distinct.keys.map(({ ref }) => placeOf(ref, select, printing)) : [];
  const targets = select.targets
    .filter(({ junk }) => !junk)
    .map(({ expression, name }) => `${scalarSql(expression, printing)} AS ${quoteIdentifier(name)}`);
  return [
    'SELECT',
    distinct === null ? '' : distinct.on ? `DISTINCT ON (${keys.join(', ')})` : 'DISTINCT',
    targets.join(', '),
    select.from.length === 0
      ? ''
      : `FROM ${select.from.map((source) => sourceSql(source, printing)).join(', ')}`,
    select.where === null ? '' : `WHERE ${scalarSql(select.where, printing)}`,
    groupSql(select, printing),
    select.having === null ? '' : `HAVING ${scalarSql(select.having, printing)}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function groupSql(select: Select, printing: Printing): string {
  const { grouping } = select;
  if (grouping === null) return '';
  const place = (ref: number): string => placeOf(ref, select, printing);
  if (grouping.several) {
    const sets = grouping.sets.map((set) => `(${set.map((ref) => place(ref)).join(', ')})`);
    return `GROUP BY GROUPING SETS (${sets.join(', ')})`;
  }
  const keys = grouping.keys.map(({ ref }) => place(ref));
  return keys.length === 0 ? '' : `GROUP BY ${keys.join(', ')}`;
}

/** A key by the place of its column among the results, else by its expression. */
function placeOf(ref: number, select: Select, printing: Printing): string {
  const place = select.targets.filter(({ junk }) => !junk).findIndex((target) => target.ref === ref);
  return place === -1 ? keySql(ref, select.targets, printing) : String(place + 1);
}

function setSql(operation: SetOperation, printing: Printing): string {
  const arm = (one: SetArm): string =>
    `(${one.kind === 'query' ? printing.query(one.query) : setSql(one.operation, printing)})`;
  const name = `${operation.kind.toUpperCase()}${operation.all ? ' ALL' : ''}`;
  return `${arm(operation.left)} ${name} ${arm(operation.right)}`;
}

function sourceSql(source: Source, printing: Printing): string {
  if (source.kind === 'relation') return relationSql(source.relation, printing);
  const on = source.on === null ? 'TRUE' : scalarSql(source.on, printing);
  const [left, right] = [sourceSql(source.left, printing), sourceSql(source.right, printing)];
  return `(${left} ${source.join.toUpperCase()} JOIN ${right} ON ${on})`;
}

function relationSql(relation: Relation, printing: Printing): string {
  const { names } = printing;
  const alias = names.relation(relation.id);
  const named = `AS ${alias}${names.columns(relation)}`;
  switch (relation.kind) {
    case 'table':
      return `${relation.inherit ? '' : 'ONLY '}${names.table(relation.oid)} AS ${alias}`;
    case 'subquery':
      return `${relation.lateral ? 'LATERAL ' : ''}(${printing.query(relation.query)}) ${named}`;
    case 'functions': {
      const calls = relation.functions.map((one) => functionSql(one, printing)).join(', ');
      return `ROWS FROM (${calls})${relation.ordinality ? ' WITH ORDINALITY' : ''} ${named}`;
    }
    case 'values': {
      const rows = relation.rows.map((row) => `(${row.map((one) => scalarSql(one, printing)).join(', ')})`);
      return `${relation.lateral ? 'LATERAL ' : ''}(VALUES ${rows.join(', ')}) ${named}`;
    }
    case 'cte':
      return `${names.cte(relation.cte)} ${named}`;
    case 'unknown':
      throw analysisError('analysis_unavailable', `a relation that cannot be written: ${relation.tag}`);
  }
}

function functionSql({ call, definition }: FunctionSource, printing: Printing): string {
  const text = scalarSql(call, printing);
  if (definition === null) return text;
  const columns = definition.map(({ name, type }) => `${quoteIdentifier(name)} ${printing.names.type(type)}`);
  return `${text} AS (${columns.join(', ')})`;
}

function withSql(ctes: readonly Cte[], printing: Printing): string {
  if (ctes.length === 0) return '';
  const recursive = ctes.some((cte) => cte.recursive) ? 'RECURSIVE ' : '';
  return `WITH ${recursive}${ctes.map((cte) => cteSql(cte, printing)).join(', ')}`;
}

function cteSql(cte: Cte, printing: Printing): string {
  const list = (columns: readonly string[]): string =>
    columns.map((name) => quoteIdentifier(name)).join(', ');
  const columns = list(cte.columns.slice(0, cte.query.columns.length));
  const materialized =
    cte.materialized === null ? '' : cte.materialized ? 'MATERIALIZED ' : 'NOT MATERIALIZED ';
  const parts = [
    `${printing.names.cte(cte.id)}${columns === '' ? '' : `(${columns})`} AS ${materialized}(${printing.query(cte.query)})`,
  ];
  const { search, cycle } = cte;
  if (search !== null)
    parts.push(
      `SEARCH ${search.breadthFirst ? 'BREADTH' : 'DEPTH'} FIRST BY ${list(search.by)} SET ${quoteIdentifier(search.column)}`,
    );
  if (cycle !== null)
    parts.push(
      `CYCLE ${list(cycle.by)} SET ${quoteIdentifier(cycle.mark)} TO ${literal(cycle.value, printing)} DEFAULT ${literal(cycle.otherwise, printing)} USING ${quoteIdentifier(cycle.path)}`,
    );
  return parts.join(' ');
}

/** A constant where the grammar takes nothing else. */
function literal(value: Scalar, { names }: Printing): string {
  if (value.kind !== 'constant' || value.value === null)
    throw analysisError('analysis_unavailable', 'an expression that cannot be written: the mark of a CYCLE');
  return `${names.type(value.type)} ${quoteLiteral(value.value)}`;
}
