import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Principal } from '../views/port.js';

/** What `auth` returned, its role filled in: who asks. Never part of the arguments. */
export type Ctx = Principal;

/**
 * A query that clients name, as `query` makes it. `Args` is what the client passes, `Row` one row of what it gets:
 * both exist for the types alone.
 */
export interface NamedQuery<Args = unknown, Row = unknown> {
  readonly kind: 'query';
  /** What the arguments must be; null when the query takes none. */
  readonly args: StandardSchemaV1 | null;
  readonly answer: (call: { readonly args: unknown; readonly ctx: Ctx }) => unknown;
  /** How often time moves, for queries that read the clock. */
  readonly tick?: string;
  readonly '~types'?: { readonly args: Args; readonly row: Row };
}

export type AnyNamedQuery = NamedQuery;

export function isNamedQuery(value: unknown): value is AnyNamedQuery {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'query' &&
    'answer' in value &&
    typeof value.answer === 'function'
  );
}
