import type { Fields } from '@sluice/core/shape';
import type { BuiltQuery, Fail } from './built-query.js';
import { driverValue } from './driver-values.js';
import { get } from './drizzle-entity.js';
import { fieldsOf } from './field-plan.js';

/** A name that plugins which rename columns would change. */
const PROBE = 'sluiceProbe';

/** What can be compiled is Kysely's. */
export function isKysely(value: unknown): boolean {
  return typeof get(value, 'compile') === 'function';
}

/**
 * Kysely leaves values to the driver: with `pg`, the rows are what it makes of each type.
 * @throws what `fail` throws, when it is nothing that can be live
 */
export function kyselyQuery(value: unknown, fail: Fail): BuiltQuery {
  if (get(value, 'isSelectQueryBuilder') !== true) {
    return fail(
      'Only a select builder of Kysely can be live: return db.selectFrom(…), or rows({ sql, params }).',
    );
  }
  if (!compiled(call(value, 'select', PROBE), fail).sql.includes(`"${PROBE}"`)) {
    return fail(
      'A plugin of Kysely (CamelCasePlugin) renames the columns of the result, which clients cannot do. ' +
        'Use .withoutPlugins(), or name the columns as the database does.',
    );
  }
  const fields = (columns: Parameters<NonNullable<BuiltQuery['fields']>>[0]): Fields | null =>
    fieldsOf(
      {
        columns: columns.map(({ name }) => ({ path: [name], value: (of) => driverValue(of, 'date') })),
        absent: [],
      },
      fail,
    )(columns);
  return { ...compiled(value, fail), fields };
}

function compiled(
  builder: unknown,
  fail: Fail,
): { readonly sql: string; readonly params: readonly unknown[] } {
  const query = call(builder, 'compile');
  const [sql, params] = [get(query, 'sql'), get(query, 'parameters')];
  if (typeof sql === 'string' && Array.isArray(params)) return { sql, params };
  return fail('this version of Kysely is not known');
}

function call(value: unknown, method: string, ...args: readonly unknown[]): unknown {
  const found = get(value, method);
  return typeof found === 'function' ? (found.apply(value, args) as unknown) : undefined;
}
