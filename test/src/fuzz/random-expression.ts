import type { Random } from '../kit/random.js';
import { PATTERNS, RAISING, TEMPLATES } from './function-templates.js';
import { list, sequence, sql, type Sql } from './sql-tree.js';
import { literal, poolType, quoted, TYPE_NAMES, TYPES, valueOf, type TypeName } from './value-pools.js';

export interface ScopeColumn {
  readonly text: string;
  readonly type: TypeName;
}

/** What an expression may read. */
export interface Scope {
  readonly columns: readonly ScopeColumn[];
  readonly outer: Scope | null;
}

/** What all parts of one query share. */
export interface QueryContext {
  readonly random: Random;
  /** Types of `$1`, `$2`, …, as castable names. */
  readonly params: ParamModel[];
  /** How many there may be; none in a view. */
  readonly paramsMax: number;
  /** Share of the expressions that may raise errors. */
  readonly raising: number;
}

export interface ParamModel {
  readonly type: string;
  /** Texts of values, NULL among them; a binding takes one of each. */
  readonly values: readonly (string | null)[];
}

/** A type may stand where another is asked for. */
const ALSO: Readonly<Partial<Record<TypeName, readonly TypeName[]>>> = {
  text: ['varchar'],
  numeric: ['money2', 'int4'],
  float8: ['float4'],
  int8: ['int4', 'int2'],
  int4: ['int2'],
};

export function param(context: QueryContext, type: TypeName): Sql {
  const { random, params } = context;
  const values = [
    ...new Set([
      valueOf(random, type),
      valueOf(random, type),
      random.chance(0.15) ? null : valueOf(random, type),
    ]),
  ];
  if (type === 'int4') values.splice(0, 2, ...['1', '2', '3'].slice(random.int(2)));
  const index = params.push({ type: TYPES[type].name, values }) - 1;
  const cast = random.chance(0.7) ? `::${TYPES[type].name}` : '';
  return sequence([{ kind: 'param', index }, cast], [literal(type, values[0] ?? null)]);
}

function constant(context: QueryContext, type: TypeName): Sql {
  const { random } = context;
  if (context.params.length < context.paramsMax && random.chance(0.2)) return param(context, type);
  if (type === 'int4' && random.chance(0.6)) return String(random.int(5));
  return literal(type, random.chance(0.06) ? null : valueOf(random, type));
}

/** Any expression of a type. */
export function expression(context: QueryContext, scope: Scope, type: TypeName, depth = 2): Sql {
  const { random } = context;
  const columns = columnsOf(context, scope, type);
  if (depth <= 0 || random.chance(0.35)) {
    if (columns.length > 0 && random.chance(0.9)) return random.pick(columns);
    return constant(context, type);
  }
  const inner = (of: TypeName): Sql => expression(context, scope, of, depth - 1);
  const simple: readonly Sql[] = [...columns.slice(0, 1), literal(type, TYPES[type].values[0] ?? null)];
  switch (random.int(9)) {
    case 0: {
      const [then, otherwise] = [inner(type), inner(type)];
      return sequence(
        ['CASE WHEN ', condition(context, scope, depth - 1), ' THEN ', then, ' ELSE ', otherwise, ' END'],
        [then, otherwise, ...simple],
      );
    }
    case 1: {
      const [a, b] = [inner(type), inner(type)];
      return sequence(['coalesce(', a, ', ', b, ')'], [a, b, ...simple]);
    }
    case 2: {
      if (!poolType(type).ordered) return inner(type);
      const [a, b] = [inner(type), inner(type)];
      return sequence(['nullif(', a, ', ', b, ')'], [a, ...simple]);
    }
    case 3:
      if (type === 'bool') return condition(context, scope, depth - 1);
      return columns.length > 0 ? random.pick(columns) : inner(type);
    default: {
      const raises = random.chance(context.raising);
      const templates = (raises ? RAISING[type] : undefined) ?? TEMPLATES[type] ?? [];
      if (templates.length === 0) return columns.length > 0 ? random.pick(columns) : constant(context, type);
      return filled(context, random.pick(templates), inner, simple, type);
    }
  }
}

function filled(
  context: QueryContext,
  template: string,
  inner: (type: TypeName) => Sql,
  simple: readonly Sql[],
  type: TypeName,
): Sql {
  const same: Sql[] = [];
  const parts = template.split(/[{}]/).map((text, at): Sql => {
    if (at % 2 === 0) return text;
    if (text === 'pattern') return quoted(context.random.pick(PATTERNS));
    // Braces that are not a type belong to the text: `'{b,1}'`.
    if (!(text in TYPES)) return `{${text}}`;
    const part = inner(text as TypeName);
    if (text === type) same.push(part);
    return part;
  });
  return sequence(['(', ...parts, ')'], [...same, ...simple]);
}

function columnsOf({ random }: QueryContext, scope: Scope, type: TypeName): readonly string[] {
  const types = new Set([type, ...(ALSO[type] ?? [])]);
  const own = scope.columns.filter((column) => types.has(column.type)).map(({ text }) => text);
  const outer: Scope | null = scope.outer;
  if (outer === null || (own.length > 0 && random.chance(0.8))) return own;
  return [...own, ...outer.columns.filter((column) => types.has(column.type)).map(({ text }) => text)];
}

const COMPARISONS = [
  '=',
  '=',
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'IS DISTINCT FROM',
  'IS NOT DISTINCT FROM',
] as const;

/** A condition that is not a subquery. */
export function condition(context: QueryContext, scope: Scope, depth = 2): Sql {
  const { random } = context;
  const column = random.chance(0.85) && scope.columns.length > 0 ? random.pick(scope.columns) : null;
  const type = column?.type ?? random.pick(TYPE_NAMES);
  if (depth > 0 && random.chance(0.25)) {
    const items = [condition(context, scope, depth - 1), condition(context, scope, depth - 1)];
    return sequence(['(', list(items, random.pick([' AND ', ' OR '])), ')'], items);
  }
  if (depth > 0 && random.chance(0.08)) return sql`NOT (${condition(context, scope, depth - 1)})`;
  const left = column === null || random.chance(0.3) ? expression(context, scope, type, depth) : column.text;
  if (!poolType(type).ordered || random.chance(0.1))
    return sql`${left} IS ${random.pick(['NULL', 'NOT NULL'])}`;
  switch (random.int(10)) {
    case 0:
      return sql`${left} BETWEEN ${constant(context, type)} AND ${constant(context, type)}`;
    case 1:
    case 2: {
      const items = Array.from({ length: random.between(1, 4) }, () => constant(context, type));
      return sql`${left} ${random.pick(['IN', 'IN', 'NOT IN'])} ${list(items, ', ', '(', ')')}`;
    }
    case 3:
      if (context.params.length < context.paramsMax && (type === 'int4' || type === 'text'))
        return sql`${left} = ANY (${arrayParam(context, type)})`;
      return sql`${left} ${random.pick(COMPARISONS)} ${expression(context, scope, type, depth - 1)}`;
    case 4:
      if (type === 'bool') return column === null ? left : sql`${left}`;
      return sql`${left} ${random.pick(COMPARISONS)} ${expression(context, scope, type, depth - 1)}`;
    default:
      return sql`${left} ${random.pick(COMPARISONS)} ${constant(context, type)}`;
  }
}

function arrayParam(context: QueryContext, type: 'int4' | 'text'): Sql {
  const values =
    type === 'int4' ? ['{1,2,3}', '{}', '{2,NULL}', '{0,4,5,6}'] : ['{a,b}', '{}', '{a,NULL,""}', '{é,10}'];
  const name = `${TYPES[type].name}[]`;
  const index =
    context.params.push({
      type: name,
      values: [context.random.pick(values), context.random.pick(values), context.random.pick(values)],
    }) - 1;
  return sequence([{ kind: 'param', index }, `::${name}`], [`'${values[0]}'::${name}`]);
}
