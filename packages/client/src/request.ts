import { canonicalJson, printJson } from '@sluice/core/json';
import type { PgText } from '@sluice/core/value';
import type { QueryRef, SqlRef } from './api.js';
import { clientError } from './errors.js';
import { encodeParams } from './params.js';

/** What a subscription asks for, as the wire says it. */
export type Request =
  | { readonly query: string; readonly args?: unknown }
  | { readonly sql: string; readonly params: readonly PgText[]; readonly tick?: string };

/** A request and its name: equal for two references to the same query with the same values. */
export interface NamedRequest {
  readonly key: string;
  readonly request: Request;
}

/** @throws SluiceError `param_invalid`, `args_invalid`, `request_too_large`. */
export function toRequest(ref: QueryRef<unknown> | SqlRef, bytesMax: number): NamedRequest {
  const named = nameRequest(ref);
  checkSize(JSON.stringify(named.request), bytesMax);
  return named;
}

/** @throws SluiceError `request_too_large`. */
export function checkSize(text: string, bytesMax: number): void {
  // A character takes at most three bytes for each of its units.
  if (text.length * 3 > bytesMax && new TextEncoder().encode(text).length > bytesMax) {
    throw clientError('request_too_large');
  }
}

function nameRequest(ref: QueryRef<unknown> | SqlRef): NamedRequest {
  if ('sql' in ref) {
    const params = encodeParams(ref.params ?? []);
    const request = { sql: ref.sql, params, ...(ref.tick === undefined ? {} : { tick: ref.tick }) };
    return { key: JSON.stringify(['sql', ref.sql, params, ref.tick ?? null]), request };
  }
  const args = ref.args === undefined ? undefined : plainArgs(ref.args);
  return {
    key: canonicalJson(args === undefined ? ['query', ref.query] : ['query', ref.query, args]),
    request: { query: ref.query, ...(args === undefined ? {} : { args }) },
  };
}

/** The arguments as JSON gives them back: what the server will see. */
function plainArgs(args: unknown): unknown {
  try {
    rejectBigint(args);
    return JSON.parse(printJson(args)) as unknown;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw clientError('args_invalid', error.message);
    }
    throw error;
  }
}

/** As bare digits it would arrive rounded; as text it would arrive as another type. The application decides. */
function rejectBigint(value: unknown): void {
  if (typeof value === 'bigint') throw new TypeError('a bigint: pass it as text');
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(rejectBigint);
}
