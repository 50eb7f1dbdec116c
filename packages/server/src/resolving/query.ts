import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { AnyNamedQuery, Ctx, NamedQuery } from '../config/named-query.js';
import type { RowOf, TypedAnswer } from './row-of.js';

export interface QueryOptions {
  /** For a query that reads the clock: how often time moves, `10s`, `1m`, `1h`. */
  readonly tick?: string;
}

/**
 * A query that clients may name. Its function gives a Drizzle or Kysely builder, or `{ sql, params }`; the client's
 * rows have the type that the builder infers. It runs for each subscription, and again when the claims change.
 *
 *     issuesOf: query(z.object({ project: z.int() }), ({ args, ctx }) =>
 *       db.select().from(issues).where(eq(issues.projectId, args.project)),
 *     )
 *
 * The function must not be `async`: JavaScript would run the builder in place of handing it over.
 */
export function query<B>(
  answer: (call: { readonly ctx: Ctx }) => B,
  options?: QueryOptions,
): NamedQuery<void, RowOf<B>>;
/** @param args any Standard Schema (Zod, Valibot, ArkType, …): the function gets what it makes of the arguments */
export function query<S extends StandardSchemaV1, B>(
  args: S,
  answer: (call: { readonly args: StandardSchemaV1.InferOutput<S>; readonly ctx: Ctx }) => B,
  options?: QueryOptions,
): NamedQuery<StandardSchemaV1.InferInput<S>, RowOf<B>>;
export function query(...given: readonly unknown[]): AnyNamedQuery {
  // A schema may be a function itself (ArkType): what tells it is `~standard`.
  const schema = isSchema(given[0]) ? given[0] : null;
  const [answer, options] = schema === null ? given : given.slice(1);
  if (typeof answer !== 'function') throw new TypeError('query takes a function, after a schema if any');
  return {
    kind: 'query',
    args: schema,
    answer: answer as AnyNamedQuery['answer'],
    ...(options as QueryOptions | undefined),
  };
}

function isSchema(value: unknown): value is StandardSchemaV1 {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

/** The queries that clients may name: gives them back as they are, with their types checked. */
export function defineQueries<Q extends Record<string, AnyNamedQuery>>(queries: Q): Q {
  return queries;
}

/**
 * Plain SQL with the type of its rows, which nobody checks: the default mapping of values is in docs/client.md.
 *
 *     counts: query(() => rows<{ status: string; n: bigint }>({ sql: 'SELECT status, count(*) AS n FROM issue …' }))
 */
export function rows<Row>(
  answer:
    | { readonly text: string; readonly values?: readonly unknown[] }
    | { readonly sql: string; readonly params?: readonly unknown[] },
): TypedAnswer<Row> {
  return 'text' in answer
    ? { sql: answer.text, params: answer.values ?? [] }
    : { sql: answer.sql, params: answer.params ?? [] };
}
