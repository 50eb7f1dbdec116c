import { condition, expression, type QueryContext, type Scope } from './random-expression.js';
import { sequence, wholeList, type Sql } from './sql-tree.js';
import { TYPE_NAMES, TYPES, type TypeName } from './value-pools.js';

interface Call {
  readonly sql: Sql;
  readonly type: TypeName;
}

const ORDERED = TYPE_NAMES.filter((name) => TYPES[name].ordered);
const ONE_TEXT = ORDERED.filter((name) => TYPES[name].oneText);
/** Types that `min` takes on all majors, and of which equal ones are printed alike. */
const EXTREMES = ONE_TEXT.filter((name) => !['bool', 'uuid', 'bytea', 'int4range', 'texts'].includes(name));

/** Aggregates of one argument whose order does not matter: the types of the argument and of the result. */
export const AGGREGATES: readonly (readonly [name: string, of: TypeName, type: TypeName, weight: number])[] =
  [
    ['sum', 'int4', 'int8', 8],
    ['sum', 'int8', 'numeric', 2],
    ['sum', 'int2', 'int8', 1],
    ['sum', 'numeric', 'numeric', 4],
    ['sum', 'money2', 'numeric', 4],
    ['sum', 'float8', 'float8', 2],
    ['sum', 'interval', 'interval', 1],
    ['avg', 'int4', 'numeric', 4],
    ['avg', 'numeric', 'numeric', 3],
    ['avg', 'int8', 'numeric', 1],
    ['avg', 'float8', 'float8', 1],
    ['bool_and', 'bool', 'bool', 3],
    ['bool_or', 'bool', 'bool', 3],
    ['every', 'bool', 'bool', 1],
    ['bit_and', 'int4', 'int4', 1],
    ['bit_or', 'int4', 'int4', 1],
    ['var_samp', 'int4', 'numeric', 1],
    ['stddev', 'numeric', 'numeric', 1],
  ];

/** @param order that leaves no ties among the rows; null when there is none */
export function aggregate(context: QueryContext, scope: Scope, order: readonly Sql[] | null): Call {
  const call = plainAggregate(context, scope, order);
  if (!context.random.chance(0.2)) return call;
  return {
    ...call,
    sql: sequence([call.sql, ' FILTER (WHERE ', condition(context, scope, 1), ')'], [call.sql]),
  };
}

function plainAggregate(context: QueryContext, scope: Scope, order: readonly Sql[] | null): Call {
  const { random } = context;
  switch (random.int(11)) {
    case 0:
    case 1:
      return { sql: 'count(*)', type: 'int8' };
    case 2:
      return {
        sql: sequence(['count(', argument(context, scope, TYPE_NAMES).sql, ')'], ['count(*)']),
        type: 'int8',
      };
    case 3:
      return {
        sql: sequence(['count(DISTINCT ', argument(context, scope, ORDERED).sql, ')'], ['count(*)']),
        type: 'int8',
      };
    case 4:
    case 5: {
      const { sql, type } = argument(
        context,
        scope,
        random.chance(0.9) ? EXTREMES : ['numeric', 'float8', 'interval', 'bpchar'],
      );
      return { sql: sequence([random.pick(['min(', 'max(']), sql, ')']), type };
    }
    case 6:
    case 7:
      return collected(context, scope, order);
    case 8:
      return random.chance(0.1) ? withinGroup(context, scope) : plainAggregate(context, scope, order);
    default: {
      const [name, of, type] = random.weighted(
        AGGREGATES.map((one) => Object.assign([...one] as const, { weight: one[3] })),
      ) as unknown as (typeof AGGREGATES)[number];
      const distinct = random.chance(0.12) && TYPES[of].oneText ? 'DISTINCT ' : '';
      return { sql: sequence([`${name}(${distinct}`, expression(context, scope, of, 1), ')']), type };
    }
  }
}

/** Those that make one value of many: arrays, texts, JSON; in an order. */
function collected(context: QueryContext, scope: Scope, order: readonly Sql[] | null): Call {
  const { random } = context;
  if (order === null || random.chance(0.15)) {
    const { sql } = argument(context, scope, ['int4', 'text']);
    return {
      sql: sequence([
        'string_agg(DISTINCT (',
        sql,
        ')::text COLLATE "C", \',\' ORDER BY (',
        sql,
        ')::text COLLATE "C")',
      ]),
      type: 'text',
    };
  }
  const by = wholeList(
    [...(random.chance(0.4) ? [argument(context, scope, ONE_TEXT).sql] : []), ...order],
    ', ',
    ' ORDER BY ',
  );
  switch (random.int(6)) {
    case 0:
      return { sql: sequence(['array_agg(', expression(context, scope, 'int4', 1), by, ')']), type: 'ints' };
    case 1:
      return {
        sql: sequence(['string_agg(', expression(context, scope, 'text', 1), ", ','", by, ')']),
        type: 'text',
      };
    case 2:
      return {
        sql: sequence(['jsonb_agg(', argument(context, scope, TYPE_NAMES).sql, by, ')']),
        type: 'jsonb',
      };
    case 3:
      return {
        sql: sequence([
          'json_object_agg(',
          expression(context, scope, 'int4', 0),
          "::text || 'k', ",
          argument(context, scope, TYPE_NAMES).sql,
          by,
          ')',
        ]),
        type: 'json',
      };
    default:
      return {
        sql: sequence(['json_agg(', argument(context, scope, TYPE_NAMES).sql, by, ')']),
        type: 'json',
      };
  }
}

function withinGroup(context: QueryContext, scope: Scope): Call {
  const type = context.random.pick(['int4', 'text', 'date'] as const);
  const of = expression(context, scope, type, 1);
  const how = context.random.pick(['percentile_disc(0.5)', 'mode()', 'percentile_disc(0)']);
  return { sql: sequence([`${how} WITHIN GROUP (ORDER BY `, of, ')']), type };
}

/** @param order as above */
export function windowCall(context: QueryContext, scope: Scope, order: readonly Sql[] | null): Call {
  const { random } = context;
  const partition = random.chance(0.6)
    ? sequence(['PARTITION BY ', argument(context, scope, ONE_TEXT).sql, ' '])
    : '';
  const frame = random.chance(0.25)
    ? random.pick([
        ' ROWS BETWEEN 1 PRECEDING AND CURRENT ROW',
        ' ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
        ' ROWS 2 PRECEDING',
      ])
    : '';
  const value = argument(context, scope, TYPE_NAMES);
  if (order === null || random.chance(0.3)) {
    const call = random.pick(['rank()', 'dense_rank()', 'count(*)', 'sum(1)'] as const);
    const by = random.chance(0.6) ? sequence(['ORDER BY ', argument(context, scope, ONE_TEXT).sql]) : '';
    return { sql: sequence([`${call} OVER (`, partition, by, ')']), type: 'int8' };
  }
  const by = wholeList(
    [...(random.chance(0.5) ? [argument(context, scope, ONE_TEXT).sql] : []), ...order],
    ', ',
    'ORDER BY ',
  );
  const over = sequence([' OVER (', partition, by, frame, ')']);
  switch (random.int(8)) {
    case 0:
    case 1:
      return { sql: sequence(['row_number()', over]), type: 'int8' };
    case 2:
      return { sql: sequence(['lag(', value.sql, ')', over]), type: value.type };
    case 3:
      return { sql: sequence(['lead(', value.sql, ', 2)', over]), type: value.type };
    case 4:
      return {
        sql: sequence([random.pick(['first_value(', 'last_value(']), value.sql, ')', over]),
        type: value.type,
      };
    case 5:
      return { sql: sequence(['sum(', expression(context, scope, 'int4', 0), ')', over]), type: 'int8' };
    case 6:
      return { sql: sequence([random.pick(['rank()', 'dense_rank()']), over]), type: 'int8' };
    default:
      return { sql: sequence(['count(', value.sql, ')', over]), type: 'int8' };
  }
}

function argument(context: QueryContext, scope: Scope, types: readonly TypeName[]): Call {
  const columns = scope.columns.filter(({ type }) => types.includes(type));
  if (columns.length > 0 && context.random.chance(0.75)) {
    const { text, type } = context.random.pick(columns);
    return { sql: text, type };
  }
  const type = context.random.pick(types);
  return { sql: expression(context, scope, type, 1), type };
}
