import type pg from 'pg';
import type { Run } from '../source/source.js';

/** A `Run` over a pool or a client: values as the text that Postgres prints, for tests. */
export function runOn(target: Pick<pg.Pool | pg.ClientBase, 'query'>): Run {
  return async (sql, params) => {
    const result = await target.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: { getTypeParser: () => (text: string) => text },
      ...(params ? { values: [...params] } : {}),
    });
    return {
      fields: result.fields.map((field) => ({
        name: field.name,
        typeOid: field.dataTypeID,
        typeModifier: field.dataTypeModifier,
      })),
      rows: result.rows,
    };
  };
}
