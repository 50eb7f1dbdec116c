import type { Random } from '../kit/random.js';
import { aggregate, windowCall } from './random-aggregate.js';
import {
  condition,
  expression,
  type ParamModel,
  type QueryContext,
  type Scope,
  type ScopeColumn,
} from './random-expression.js';
import { fromClause, type Item } from './random-from.js';
import { whole, type Made, type Relation, type SubqueryMaker, type Wanted } from './made-query.js';
import { list, optional, print, sequence, wholeList, type Sql } from './sql-tree.js';
import { poolType, TYPE_NAMES, TYPES, type TypeName } from './value-pools.js';

export interface RandomQuery {
  readonly made: Made;
  readonly params: readonly ParamModel[];
}

export interface QueryOptions {
  readonly paramsMax: number;
  readonly raising: number;
}

/** A query of its own. */
export function randomQuery(
  random: Random,
  relations: readonly Relation[],
  options: QueryOptions,
): RandomQuery {
  const params: ParamModel[] = [];
  const maker = new QueryMaker({ random, params, ...options }, relations);
  return { made: maker.top(), params };
}

interface Target {
  readonly sql: Sql;
  readonly type: TypeName;
}

const ONE_TEXT = TYPE_NAMES.filter((name) => TYPES[name].oneText && TYPES[name].ordered);

class QueryMaker implements SubqueryMaker {
  readonly context: QueryContext;
  readonly #relations: Relation[];
  #names = 0;

  constructor(context: QueryContext, relations: readonly Relation[]) {
    this.context = context;
    this.#relations = [...relations];
  }

  get relations(): readonly Relation[] {
    return this.#relations;
  }

  name(prefix: string): string {
    return `${prefix}${++this.#names}`;
  }

  top(): Made {
    const { random } = this.context;
    if (!random.chance(0.1))
      return this.#ordered(this.#body(null, { types: null, depth: 2, limited: true }), true);
    const inner = this.query(null, { types: null, depth: 1, limited: false });
    const name = this.name('w');
    const { columns } = inner;
    this.#relations.push({ name, columns, key: null }, { name, columns, key: null });
    const made = this.#ordered(this.#body(null, { types: null, depth: 1, limited: true }), true);
    const how = random.pick(['', '', '', '', 'NOT MATERIALIZED ', random.chance(0.3) ? 'MATERIALIZED ' : '']);
    return {
      ...made,
      body: sequence([optional(sequence(['WITH ', name, ` AS ${how}(`, whole(inner), ') '])), made.body]),
    };
  }

  /** A subquery. */
  query(outer: Scope | null, wanted: Wanted): Made {
    const draft = this.#body(outer, wanted);
    return wanted.limited
      ? this.#ordered(draft, false)
      : { ...draft, order: '', limit: '', ordering: { kind: 'none' } };
  }

  #body(outer: Scope | null, wanted: Wanted): Draft {
    const { random } = this.context;
    if (wanted.depth > 0 && random.chance(0.08)) return this.#setOperation(outer, wanted);
    return this.#select(outer, wanted);
  }

  #setOperation(outer: Scope | null, wanted: Wanted): Draft {
    const { random } = this.context;
    const types =
      wanted.types ??
      Array.from({ length: random.between(1, 3) }, () =>
        random.pick(random.chance(0.9) ? ONE_TEXT : TYPE_NAMES.filter((name) => TYPES[name].ordered)),
      );
    const inner: Wanted = { types, depth: wanted.depth - 1, limited: false };
    const [left, right] = [this.query(outer, inner), this.query(outer, inner)];
    const operator = random.pick([
      'UNION',
      'UNION ALL',
      'UNION ALL',
      'INTERSECT',
      'INTERSECT ALL',
      'EXCEPT',
      'EXCEPT ALL',
    ]);
    const columns = left.columns;
    return {
      body: sequence(['(', whole(left), `) ${operator} (`, whole(right), ')'], [whole(left), whole(right)]),
      columns,
      total: wholeRow(columns),
      settled: columns.every(({ type }) => TYPES[type].oneText && TYPES[type].ordered),
      partial: true,
    };
  }

  #select(outer: Scope | null, wanted: Wanted): Draft {
    const { random } = this.context;
    const { items, from, conditions } = fromClause(this, outer, wanted.depth);
    const scope: Scope = { columns: items.flatMap(({ columns }) => columns), outer };
    const where: Sql[] = [...conditions];
    if (outer !== null && random.chance(0.8)) where.push(this.#correlation(scope, outer));
    for (
      let count = random.weighted([
        { n: 0, weight: 45 },
        { n: 1, weight: 40 },
        { n: 2, weight: 15 },
      ]).n;
      count > 0;
      count--
    )
      where.push(
        random.chance(0.3) && wanted.depth > 0
          ? this.#subqueryCondition(scope, wanted.depth - 1)
          : condition(this.context, scope),
      );
    const rest = sequence([' FROM ', from, list(where, ' AND ', ' WHERE ')]);
    const shape = random.weighted([
      { name: 'plain', weight: 48 },
      { name: 'distinct', weight: 7 },
      { name: 'on', weight: wanted.types === null ? 4 : 0 },
      { name: 'grouped', weight: 20 },
      { name: 'whole', weight: wanted.types === null ? 7 : 0 },
      { name: 'sets', weight: 3 },
      { name: 'window', weight: 7 },
    ] as const).name;
    switch (shape) {
      case 'grouped':
      case 'sets':
        return this.#grouped(scope, items, rest, wanted, shape === 'sets');
      case 'whole':
        return this.#aggregated(scope, items, rest);
      case 'distinct':
        return this.#distinct(scope, rest, wanted);
      case 'on':
        return this.#distinctOn(scope, items, rest, wanted);
      default:
        return this.#plain(scope, items, rest, wanted, shape === 'window');
    }
  }

  #plain(scope: Scope, items: readonly Item[], rest: Sql, wanted: Wanted, windows: boolean): Draft {
    const { random } = this.context;
    const targets = this.#targets(scope, wanted, TYPE_NAMES);
    if (windows && wanted.types === null)
      for (let count = random.between(1, 2); count > 0; count--)
        targets.push(windowCall(this.context, scope, orderTerms(this.context, items)));
    else if (wanted.types === null && wanted.depth > 0 && random.chance(0.22))
      targets.push(this.#nested(scope, wanted.depth - 1));
    const key = keyOfAll(items);
    return {
      ...selected('SELECT ', targets, rest),
      total: key,
      settled: key !== null,
      partial: true,
    };
  }

  #distinct(scope: Scope, rest: Sql, wanted: Wanted): Draft {
    const types = this.context.random.chance(0.9)
      ? ONE_TEXT
      : TYPE_NAMES.filter((name) => TYPES[name].ordered);
    const made = selected('SELECT DISTINCT ', this.#targets(scope, wanted, types), rest);
    return {
      ...made,
      total: wholeRow(made.columns),
      settled: made.columns.every(({ type }) => TYPES[type].oneText),
      partial: true,
    };
  }

  #distinctOn(scope: Scope, items: readonly Item[], rest: Sql, wanted: Wanted): Draft {
    const { random } = this.context;
    const key = keyOfAll(items);
    if (key === null) return this.#plain(scope, items, rest, wanted, false);
    const on = expression(this.context, scope, random.pick(ONE_TEXT), 1);
    const targets = this.#targets(scope, wanted, TYPE_NAMES);
    const made = selected(sequence(['SELECT DISTINCT ON (', on, ') ']), targets, rest);
    const order = wholeList([on, ...key.map((one) => directed(random, one))], ', ', ' ORDER BY ');
    return { ...made, body: sequence([made.body, order]), total: null, settled: true, partial: false };
  }

  #aggregated(scope: Scope, items: readonly Item[], rest: Sql): Draft {
    const { random } = this.context;
    const targets = Array.from({ length: random.between(1, 4) }, () =>
      aggregate(this.context, scope, orderTerms(this.context, items)),
    );
    return { ...selected('SELECT ', targets, rest), total: [], settled: true, partial: true };
  }

  #grouped(scope: Scope, items: readonly Item[], rest: Sql, wanted: Wanted, sets: boolean): Draft {
    const { random } = this.context;
    const pool = random.chance(0.92) ? ONE_TEXT : TYPE_NAMES.filter((name) => TYPES[name].ordered);
    const keys = Array.from(
      {
        length: sets
          ? 2
          : random.weighted([
              { n: 1, weight: 70 },
              { n: 2, weight: 30 },
            ]).n,
      },
      (): Target => {
        const columns = scope.columns.filter(({ type }) => pool.includes(type));
        // Sets of what reads no column are re-run.
        if (columns.length > 0 && random.chance(sets ? 0.95 : 0.7)) return asTarget(random.pick(columns));
        const type = random.pick(pool);
        return { sql: expression(this.context, scope, type, 1), type };
      },
    );
    const aggregates = Array.from({ length: random.between(1, 3) }, () =>
      aggregate(this.context, scope, orderTerms(this.context, items)),
    );
    const above: Scope = { columns: [...keys, ...aggregates].flatMap(asColumn), outer: null };
    const targets: Target[] = wanted.types?.map((type) => ({
      sql: expression(this.context, above, type, 1),
      type,
    })) ?? [
      ...keys.filter(() => sets || random.chance(0.85)),
      ...aggregates,
      ...(random.chance(0.25) ? [this.#any(above)] : []),
    ];
    const having = random.chance(0.25)
      ? [condition(this.context, { columns: aggregates.flatMap(asColumn), outer: null }, 1)]
      : [];
    const texts = keys.map(({ sql: text }) => text);
    const by = sets ? groupingSets(random, texts) : list(texts, ', ');
    if (sets && random.chance(0.5))
      targets.push({ sql: sequence(['grouping(', texts[0] ?? '', ')']), type: 'int4' });
    const made = selected(
      'SELECT ',
      targets,
      sequence([rest, ' GROUP BY ', by, list(having, ' AND ', ' HAVING ')]),
    );
    const total = sets
      ? wholeRow(made.columns)
      : keys.map(({ sql: text }) => print(text)).every(({ params }) => params.length === 0)
        ? texts
        : wholeRow(made.columns);
    return {
      ...made,
      total,
      settled:
        keys.every(({ type }) => TYPES[type].oneText) &&
        (!sets || made.columns.every(({ type }) => TYPES[type].oneText && TYPES[type].ordered)),
      partial: true,
    };
  }

  #targets(scope: Scope, wanted: Wanted, types: readonly TypeName[]): Target[] {
    const { random } = this.context;
    if (wanted.types !== null)
      return wanted.types.map((type) => ({ sql: expression(this.context, scope, type, 1), type }));
    return Array.from({ length: random.between(1, 4) }, () => {
      const columns = scope.columns.filter(({ type }) => types.includes(type));
      if (columns.length > 0 && random.chance(0.65)) return asTarget(random.pick(columns));
      if (random.chance(0.12) && wanted.depth > 0)
        return this.#scalar(scope, random.pick(types), wanted.depth - 1);
      const type = random.pick(types);
      return { sql: expression(this.context, scope, type), type };
    });
  }

  #any(scope: Scope): Target {
    const type = this.context.random.pick(ONE_TEXT);
    return { sql: expression(this.context, scope, type, 2), type };
  }

  #correlation(scope: Scope, outer: Scope): Sql {
    const { random } = this.context;
    const pairs = scope.columns.flatMap((own) =>
      outer.columns
        .filter((other) => other.type === own.type && TYPES[own.type].ordered)
        .map((other) => [own, other] as const),
    );
    const ids = pairs.filter(([own, other]) => isKey(own) || isKey(other));
    if (pairs.length === 0) return condition(this.context, scope, 1);
    const [own, other] = random.pick(ids.length > 0 && random.chance(0.8) ? ids : pairs);
    const operator = random.chance(0.88) ? '=' : random.pick(['<', '>=', '<>', 'IS NOT DISTINCT FROM']);
    return `${own.text} ${operator} ${other.text}`;
  }

  #scalar(scope: Scope, type: TypeName, depth: number): Target {
    const { random } = this.context;
    if (random.chance(0.6)) {
      const { items, from, conditions } = fromClause(this, scope, 0);
      const inner: Scope = { columns: items.flatMap(({ columns }) => columns), outer: scope };
      const one = aggregate(this.context, inner, orderTerms(this.context, items));
      const where = [...conditions, this.#correlation(inner, scope)];
      return {
        sql: sequence(['(SELECT ', one.sql, ' FROM ', from, list(where, ' AND ', ' WHERE '), ')']),
        type: one.type,
      };
    }
    const made = this.#ordered(this.#select(scope, { types: [type], depth, limited: false }), false, true);
    return { sql: sequence(['(', whole(made), ')']), type };
  }

  #subqueryCondition(scope: Scope, depth: number): Sql {
    const { random } = this.context;
    const type =
      random.chance(0.6) && scope.columns.length > 0
        ? random.pick(scope.columns).type
        : random.pick(ONE_TEXT);
    const usable = TYPES[type].ordered ? type : 'int4';
    const left = expression(this.context, scope, usable, random.int(2));
    const sub = (types: readonly TypeName[] | null): Sql =>
      whole(this.query(scope, { types, depth, limited: false }));
    switch (random.int(10)) {
      case 0:
      case 1:
      case 2:
        return sequence([random.pick(['EXISTS (', 'EXISTS (', 'NOT EXISTS (']), sub(null), ')']);
      case 3:
      case 4:
        return sequence([left, ' IN (', sub([usable]), ')']);
      case 5:
        return sequence([left, ' NOT IN (', sub([usable]), ')']);
      case 6:
        return sequence([
          left,
          ` ${random.pick(['=', '<>', '<', '>='])} ${random.pick(['ANY', 'ALL'])} (`,
          sub([usable]),
          ')',
        ]);
      case 7: {
        const second = expression(this.context, scope, 'int4', 0);
        return sequence([
          '(',
          left,
          ', ',
          second,
          `) ${random.pick(['IN', 'NOT IN'])} (`,
          sub([usable, 'int4']),
          ')',
        ]);
      }
      default: {
        const { sql: text, type: of } = this.#scalar(scope, usable, depth);
        if (!TYPES[of].ordered) return sequence([text, ' IS NULL']);
        return sequence([text, ` ${random.pick(['=', '<', '>='])} `, expression(this.context, scope, of, 0)]);
      }
    }
  }

  /** Children as JSON, the way that Kysely and Drizzle ask for them; counted where they have no order. */
  #nested(scope: Scope, depth: number): Target {
    const { random } = this.context;
    const types = random.chance(0.5) ? (['int4', 'text'] as const) : null;
    const draft = this.#select(scope, { types, depth: Math.min(depth, 1), limited: true });
    const inner = this.#ordered(draft, false);
    const name = this.name('agg');
    const from = [' FROM (', whole(inner), `) AS ${name})`];
    if (inner.ordering.kind !== 'total')
      return { sql: sequence(['(SELECT count(*)', ...from]), type: 'int8' };
    const fields = inner.columns.map((column) => `${name}.${column.name}`).join(', ');
    const value = random.chance(0.5) ? name : `json_build_array(${fields})`;
    return { sql: sequence([`(SELECT coalesce(json_agg(${value}), '[]'::json)`, ...from]), type: 'json' };
  }

  /** @param one whether it is to have one row at most */
  #ordered(draft: Draft, top: boolean, one = false): Made {
    const { random } = this.context;
    const { body, columns, total, settled, partial } = draft;
    const none = { body, columns, order: '', limit: '', ordering: { kind: 'none' } } as const;
    const isWhole = total !== null && settled;
    if (!isWhole) return one ? { ...none, limit: '' } : this.#partly(none, draft, top);
    if (top && random.chance(0.45)) return none;
    if (top && partial && random.chance(0.3)) return this.#partly(none, draft, true);
    const first = random.chance(0.6) ? [this.#byColumn(columns)] : [];
    const terms = [...first.flat(), ...total.map((text) => directed(random, text))];
    const order = wholeList(terms, ', ', ' ORDER BY ');
    const count = one ? '1' : String(random.between(0, 6));
    const limited = one || random.chance(0.5);
    const ties = random.chance(0.12) && terms.length > 0 && !one;
    const amount = ties ? ` FETCH FIRST ${count} ROWS WITH TIES` : this.#bound(' LIMIT ', count, one);
    const offset = random.chance(0.3) && !one ? this.#bound(' OFFSET ', String(random.int(3)), false) : '';
    const limit = limited
      ? ties
        ? sequence([optional(offset), optional(amount)])
        : sequence([optional(amount), optional(offset)])
      : '';
    return { body, columns, order, limit, ordering: { kind: 'total' } };
  }

  #bound(word: string, count: string, fixed: boolean): Sql {
    const { random, params, paramsMax } = this.context;
    if (fixed || params.length >= paramsMax || !random.chance(0.3)) return word + count;
    const index = params.push({ type: 'int8', values: [count, '2', random.chance(0.2) ? null : '1'] }) - 1;
    return sequence([word, { kind: 'param', index }], [word + count]);
  }

  /** With an order that leaves ties. */
  #partly(none: Made, { columns, partial }: Draft, top: boolean): Made {
    const { random } = this.context;
    const places = columns.flatMap(({ type }, at) =>
      TYPES[type].oneText && TYPES[type].ordered ? [at] : [],
    );
    if (!top || !partial || places.length === 0 || random.chance(0.4)) return none;
    const chosen = [random.pick(places)];
    const order = list(
      chosen.map((at) => directed(random, String(at + 1))),
      ', ',
      ' ORDER BY ',
    );
    const limit = random.chance(0.4) ? optional(` LIMIT ${random.between(1, 5)}`) : '';
    return { ...none, order, limit, ordering: { kind: 'columns', columns: chosen } };
  }

  #byColumn(columns: Made['columns']): readonly Sql[] {
    const { random } = this.context;
    const places = columns.flatMap(({ type }, at) => (TYPES[type].ordered ? [at] : []));
    return places.length === 0 ? [] : [directed(random, String(random.pick(places) + 1))];
  }
}

/** A query without its order. */
interface Draft {
  readonly body: Sql;
  readonly columns: Made['columns'];
  /** What to order by so that no two rows tie; null when there is nothing. */
  readonly total: readonly Sql[] | null;
  /** Whether rows that tie by `total` are the same. */
  readonly settled: boolean;
  /** Whether ORDER BY may be anything. */
  readonly partial: boolean;
}

function selected(before: Sql, targets: readonly Target[], rest: Sql): Pick<Draft, 'body' | 'columns'> {
  const columns = targets.map(({ type }, at) => ({ name: `o${at + 1}`, type }));
  const items = targets.map(({ sql: text }, at) => sequence([text, ` AS o${at + 1}`]));
  return { body: sequence([before, list(items, ', '), rest]), columns };
}

function wholeRow(columns: Made['columns']): readonly Sql[] | null {
  return columns.every(({ type }) => poolType(type).ordered) ? columns.map((_, at) => String(at + 1)) : null;
}

function keyOfAll(items: readonly Item[]): readonly Sql[] | null {
  const keys: string[] = [];
  for (const { key } of items) {
    if (key === null) return null;
    keys.push(...key);
  }
  return keys;
}

/** An order that leaves no ties, for what depends on it; null when there is none. */
function orderTerms({ random }: QueryContext, items: readonly Item[]): readonly Sql[] | null {
  const key = keyOfAll(items);
  return key === null ? null : key.map((text) => directed(random, text));
}

export function directed(random: Random, text: Sql): Sql {
  const how = random.pick(['', '', '', ' DESC', ' DESC NULLS LAST', ' NULLS FIRST']);
  return how === '' ? text : sequence([text, how], [text]);
}

function asTarget({ text, type }: ScopeColumn): Target {
  return { sql: text, type };
}

function groupingSets(random: Random, keys: readonly Sql[]): Sql {
  if (random.chance(0.6)) return list(keys, ', ', random.pick(['ROLLUP (', 'CUBE (']), ')');
  const each = keys.map((key) => sequence(['(', key, ')']));
  return list([...each, random.pick(['()', list(keys, ', ', '(', ')')])], ', ', 'GROUPING SETS (', ')');
}

/** What holds no parameter may be repeated. */
function asColumn({ sql: text, type }: Target): readonly ScopeColumn[] {
  const { text: printed, params } = print(text);
  return params.length === 0 ? [{ text: printed, type }] : [];
}

function isKey({ text }: ScopeColumn): boolean {
  return /(\.id|_id|\.k\d)$/.test(text);
}
