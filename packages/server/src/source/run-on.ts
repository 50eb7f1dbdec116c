import type pg from 'pg';
import type { ByteCount } from './byte-count.js';
import type { Run, RunResult } from './source.js';

/** Every value as the text that Postgres sent. */
export const RAW_TEXT = { getTypeParser: () => String } as unknown as pg.CustomTypesConfig;

/**
 * The same, counted. When it is too much, the driver drops the rows that it has and those that are still on their way,
 * and fails when the statement is over: the connection can be used again.
 */
export function countedText(bytes: ByteCount): pg.CustomTypesConfig {
  const parse = (text: string): string => {
    bytes.add(text);
    return text;
  };
  return { getTypeParser: () => parse } as unknown as pg.CustomTypesConfig;
}

/** A `Run` over a connection or a pool: unnamed statements, values as the text that Postgres prints. */
export function runOn(target: Pick<pg.Pool | pg.ClientBase, 'query'>): Run {
  return async (sql, params, { bytes } = {}) => {
    const result = await target.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: bytes === undefined ? RAW_TEXT : countedText(bytes),
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
