import { condition, type Scope, type ScopeColumn } from './random-expression.js';

import { whole, type SubqueryMaker } from './made-query.js';
import { list, sequence, type Sql } from './sql-tree.js';
import { literal, TYPES } from './value-pools.js';

/** One thing in FROM. */
export interface Item {
  readonly sql: Sql;
  readonly columns: readonly ScopeColumn[];
  /** Columns that settle all others. */
  readonly key: readonly string[] | null;
  readonly lateral: boolean;
}

export interface From {
  readonly items: readonly Item[];
  readonly from: Sql;
  /** Conditions of comma joins: they belong in WHERE. */
  readonly conditions: readonly Sql[];
}

export function fromClause(maker: SubqueryMaker, outer: Scope | null, depth: number): From {
  const { random } = maker.context;
  const count = random.weighted([
    { n: 1, weight: 42 },
    { n: 2, weight: 40 },
    { n: 3, weight: depth > 0 ? 18 : 4 },
  ]).n;
  const first = item(maker, outer, [], depth);
  const items = [first];
  const conditions: Sql[] = [];
  let from: Sql = first.sql;
  while (items.length < count) {
    const next = item(maker, outer, items, depth);
    const on = joinCondition(maker, items, next);
    const kind = random.weighted([
      { kind: ' JOIN ', weight: 36 },
      { kind: ' LEFT JOIN ', weight: 28 },
      { kind: ' RIGHT JOIN ', weight: next.lateral ? 0 : 7 },
      { kind: ' FULL JOIN ', weight: next.lateral ? 0 : 5 },
      { kind: ', ', weight: 14 },
      { kind: ' CROSS JOIN ', weight: 3 },
    ]).kind;
    items.push(next);
    if (kind === ', ' || kind === ' CROSS JOIN ') {
      from = sequence([from, kind, next.sql], [from]);
      if (kind === ', ' || random.chance(0.7)) conditions.push(on);
      continue;
    }
    from = sequence(['(', from, kind, next.sql, ' ON ', on, ')'], [from]);
  }
  return { items, from, conditions };
}

function item(maker: SubqueryMaker, outer: Scope | null, before: readonly Item[], depth: number): Item {
  const { random } = maker.context;
  const kind = random.weighted([
    { kind: 'relation', weight: 80 },
    { kind: 'subquery', weight: depth > 0 ? 9 : 0 },
    { kind: 'lateral', weight: depth > 0 && before.length > 0 ? 22 : 0 },
    { kind: 'values', weight: 1 },
    { kind: 'unnest', weight: before.length > 0 ? 1 : 0 },
  ] as const).kind;
  const alias = maker.name('a');
  switch (kind) {
    case 'subquery':
      return subquery(maker, outer, alias, depth, '');
    case 'lateral':
      return subquery(
        maker,
        { columns: before.flatMap(({ columns }) => columns), outer },
        alias,
        depth,
        'LATERAL ',
      );
    case 'values': {
      const rows = Array.from(
        { length: random.between(1, 3) },
        (_, at) => `(${at + 1}, ${literal('text', random.pick(TYPES.text.values))})`,
      );
      const columns = [
        { text: `${alias}.x`, type: 'int4' as const },
        { text: `${alias}.y`, type: 'text' as const },
      ];
      return {
        sql: sequence(['(VALUES ', list(rows, ', '), `) AS ${alias}(x, y)`]),
        columns,
        key: [`${alias}.x`],
        lateral: false,
      };
    }
    case 'unnest': {
      const arrays = before.flatMap(({ columns }) => columns).filter(({ type }) => type === 'ints');
      const of = arrays.length > 0 ? random.pick(arrays).text : "'{1,2,3}'::int4[]";
      return {
        sql: `unnest(${of}) AS ${alias}(x)`,
        columns: [{ text: `${alias}.x`, type: 'int4' }],
        key: [`${alias}.x`],
        lateral: true,
      };
    }
    default:
      return named(maker, alias);
  }
}

function named(maker: SubqueryMaker, alias: string): Item {
  const relation = maker.context.random.pick(maker.relations);
  const columns = relation.columns.map(({ name, type }) => ({ text: `${alias}.${name}`, type }));
  const key = relation.key?.map((name) => `${alias}.${name}`) ?? wholeKey(columns);
  return { sql: `${relation.name} AS ${alias}`, columns, key, lateral: false };
}

function subquery(
  maker: SubqueryMaker,
  outer: Scope | null,
  alias: string,
  depth: number,
  lateral: string,
): Item {
  const made = maker.query(outer, {
    types: null,
    depth: depth - 1,
    limited: maker.context.random.chance(0.4),
  });
  const columns = made.columns.map(({ name, type }) => ({ text: `${alias}.${name}`, type }));
  return {
    sql: sequence([`${lateral}(`, whole(made), `) AS ${alias}`]),
    columns,
    key: wholeKey(columns),
    lateral: lateral !== '',
  };
}

function wholeKey(columns: readonly ScopeColumn[]): readonly string[] | null {
  return columns.every(({ type }) => TYPES[type].ordered && TYPES[type].oneText)
    ? columns.map(({ text }) => text)
    : null;
}

function joinCondition(maker: SubqueryMaker, items: readonly Item[], next: Item): Sql {
  const { random } = maker.context;
  const scope: Scope = {
    columns: [...items.flatMap(({ columns }) => columns), ...next.columns],
    outer: null,
  };
  const pairs = next.columns.flatMap((own) =>
    items.flatMap(({ columns }) =>
      columns
        .filter(({ type }) => type === own.type && TYPES[type].ordered)
        .map((other) => [own, other] as const),
    ),
  );
  const likely = pairs.filter(
    ([own, other]) => /_id$|\.id$|\.k\d$/.test(own.text) && /_id$|\.id$|\.k\d$/.test(other.text),
  );
  if (next.lateral && random.chance(0.6)) return 'true';
  if (pairs.length === 0) return condition(maker.context, scope, 1);
  const [own, other] = random.pick(likely.length > 0 && random.chance(0.85) ? likely : pairs);
  const operator = random.chance(0.92) ? '=' : random.pick(['<', '>=', 'IS NOT DISTINCT FROM']);
  const conditions: Sql[] = [`${own.text} ${operator} ${other.text}`];
  if (random.chance(0.25))
    conditions.push(
      condition(maker.context, random.chance(0.6) ? { columns: next.columns, outer: null } : scope, 1),
    );
  return list(conditions, ' AND ');
}
