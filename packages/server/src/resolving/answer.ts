import { EncodeError, encodeParams } from '@sluice/core/encode';
import type { Fields } from '@sluice/core/shape';
import type { PgText } from '@sluice/core/value';
import { builtQuery, isBuilder } from './builder.js';
import type { Fail } from './built-query.js';
import { resolvingError } from './errors.js';
import type { FieldsOf } from './field-plan.js';
import { readFields } from './read-fields.js';

/** What a named query comes to for one caller. */
export interface Resolved {
  readonly sql: string;
  readonly params: readonly PgText[];
  readonly tick?: string;
  /** How its rows become what a builder promises. */
  readonly fields?: FieldsOf;
}

/**
 * Reads what the application's function returned: a builder, or SQL, or a promise of SQL. Drizzle's builders are
 * thenables that run when they are awaited: so a builder is looked for before anything is awaited.
 * @throws SluiceError `query_answer_invalid`
 */
export async function readAnswer(returned: unknown, name: string): Promise<Resolved> {
  const fail = (detail: string): never => {
    throw resolvingError('query_answer_invalid', `${name}: ${detail}`);
  };
  if (isBuilder(returned)) return fromAnswer(returned, fail);
  const answer = await returned;
  if (answer !== returned && looksLikeRow(answer)) {
    return fail(
      'its function is async, or awaits the builder, and so returned rows in place of a query. ' +
        'Return the builder itself from a function that is not async.',
    );
  }
  return fromAnswer(answer, fail);
}

/**
 * What `resolve` answered: like that of a query's function, or null; plain SQL may bring the fields of its rows.
 * @throws SluiceError `resolver_answer_invalid`
 */
export async function readElsewhere(returned: unknown, name: string): Promise<Resolved | null> {
  const fail = (detail: string): never => {
    throw resolvingError('resolver_answer_invalid', `${name}: ${detail}`);
  };
  const answer = isBuilder(returned) ? returned : await returned;
  if (answer === null || answer === undefined) return null;
  const resolved = fromAnswer(answer, fail);
  const shape: unknown = typeof answer === 'object' && 'shape' in answer ? answer.shape : undefined;
  if (shape === undefined || shape === null) return resolved;
  const fields = readFields(shape);
  if (fields === null) return fail('its shape is none; see Fields in docs/protocol.md');
  return { ...resolved, fields: (columns) => checkedFields(fields, columns.length, fail) };
}

function checkedFields(fields: Fields, columns: number, fail: Fail): Fields {
  if (fields.columns.length === columns) return fields;
  return fail(`its shape has ${fields.columns.length} columns, the query ${columns}`);
}

function fromAnswer(answer: unknown, fail: Fail): Resolved {
  const built = builtQuery(answer, fail);
  if (built === null) return fromPlain(answer, fail);
  const { sql, params, fields } = built;
  return { sql, params: encode(params, fail), fields };
}

const MEMBERS = new Set(['sql', 'text', 'params', 'values', 'parameters', 'tick', 'query', 'queryId']);

/**
 * Whether what a promise gave is what a builder gives when it runs. A row may well have a column `text`: nothing that
 * could be one is taken for SQL.
 */
function looksLikeRow(answer: unknown): boolean {
  if (Array.isArray(answer) || answer === undefined) return true;
  if (typeof answer !== 'object' || answer === null || isBuilder(answer)) return false;
  const names = Object.keys(answer);
  return (
    names.some((name) => !MEMBERS.has(name)) ||
    ('text' in answer && !('values' in answer || 'params' in answer))
  );
}

/** An application's answer is checked like any other input. */
function fromPlain(answer: unknown, fail: Fail): Resolved {
  const given: Record<string, unknown> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const sql = given['sql'] ?? given['text'];
  const params = given['params'] ?? given['values'] ?? given['parameters'] ?? [];
  const tick = given['tick'];
  if (typeof sql !== 'string' || sql === '') return fail('its function returned no SQL');
  if (!Array.isArray(params)) return fail('its function returned params that are no list');
  if (tick !== undefined && typeof tick !== 'string')
    return fail('its function returned a tick that is no text');
  return { sql, params: encode(params, fail), ...(tick === undefined ? {} : { tick }) };
}

/** @throws what `fail` throws, naming the number of a parameter and never its value */
export function encode(values: readonly unknown[], fail: Fail): readonly PgText[] {
  try {
    return encodeParams(values);
  } catch (error) {
    if (error instanceof EncodeError) return fail(error.message);
    throw error;
  }
}
