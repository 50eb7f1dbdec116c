import type pg from 'pg';
import type { Run, RunResult } from './source.js';

/** Every value as the text that Postgres sent. */
export const RAW_TEXT = { getTypeParser: () => String } as unknown as pg.CustomTypesConfig;

/** A `Run` over a connection or a pool: unnamed statements, values as the text that Postgres prints. */
export function runOn(target: Pick<pg.Pool | pg.ClientBase, 'query'>): Run {
  return async (sql, params) => {
    const result = await target.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: RAW_TEXT,
      ...(params ? { values: [...params] } : {}),
    });
    return toResult(result);
  };
}

export function toResult(result: pg.QueryArrayResult<(string | null)[]>): RunResult {
  const fields = result.fields.map((field) => ({
    name: field.name,
    typeOid: field.dataTypeID,
    typeModifier: field.dataTypeModifier,
  }));
  return { fields, rows: result.rows };
}
