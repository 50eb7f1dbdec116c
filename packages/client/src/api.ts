import type { ParamValue } from './params.js';

/**
 * What a server offers, as a type: `type Api = typeof sluice` of the server, or written by hand.
 * Only the type is imported; nothing of it exists at run time.
 *
 *     interface Api {
 *       queries: { issuesOf: { args: { project: number }; row: { id: number; title: string } } };
 *     }
 */
export interface ApiShape {
  readonly queries?: { readonly [name: string]: QueryShape };
  readonly mutators?: { readonly [name: string]: MutatorShape };
}

export interface QueryShape {
  /** What the query is called with; `void` or left out when it takes nothing. */
  readonly args?: unknown;
  /** One row of its result. */
  readonly row: unknown;
}

export interface MutatorShape {
  readonly args?: unknown;
  readonly result?: unknown;
}

/** A value may carry its Api under this name, as the one that `createSluice` returns does. */
export interface CarriesApi<A> {
  readonly '~api'?: A;
}

type Unwrapped<A> = A extends { readonly '~api'?: infer B } ? Exclude<B, undefined> : A;

/** The Api of a client for which none was given: any name, any arguments, rows of unknown values. */
export interface AnyApi {
  readonly queries: { readonly [name: string]: { readonly args: AnyArgs; readonly row: AnyRow } };
  readonly mutators: { readonly [name: string]: { readonly args: AnyArgs; readonly result: unknown } };
}

type AnyArgs = { readonly [name: string]: unknown } | undefined;
export type AnyRow = { readonly [column: string]: unknown };

declare const row: unique symbol;

/** A named query with its arguments: what `queries.name(args)` makes and `client.live` takes. Immutable. */
export interface QueryRef<Row = AnyRow> {
  readonly query: string;
  readonly args?: unknown;
  readonly [row]?: Row;
}

/** SQL with parameters, for servers that allow it. */
export interface SqlRef {
  readonly sql: string;
  readonly params?: readonly ParamValue[];
  /** For SQL that reads the clock: how often time moves, `10s`, `1m`, `1h`. */
  readonly tick?: string;
}

type ArgsOf<Q> = Q extends { readonly args: infer A } ? A : void;

/** No argument where the query takes none; an optional one where all of it may be left out. */
type Parameters<A> = [A] extends [void]
  ? []
  : undefined extends A
    ? [args?: A]
    : Record<never, never> extends A
      ? [args?: A]
      : [args: A];

type QueriesOf<A> = A extends { readonly queries: infer Q } ? Q : Record<never, never>;
type MutatorsOf<A> = A extends { readonly mutators: infer M } ? M : Record<never, never>;

/** `queries.name(args)` for each query of the Api. */
export type Queries<A> = {
  readonly [N in keyof QueriesOf<Unwrapped<A>>]: QueriesOf<Unwrapped<A>>[N] extends infer Q
    ? (...args: Parameters<ArgsOf<Q>>) => QueryRef<Q extends { readonly row: infer R } ? R : AnyRow>
    : never;
};

/** A write on its way: shown here (`local`), and in the database (`confirmed`). */
export interface Mutation<Result = unknown> {
  readonly local: Promise<void>;
  readonly confirmed: Promise<Result>;
}

/** `mutate.name(args)` for each mutator of the Api. */
export type Mutate<A> = {
  readonly [N in keyof MutatorsOf<Unwrapped<A>>]: MutatorsOf<Unwrapped<A>>[N] extends infer M
    ? (...args: Parameters<ArgsOf<M>>) => Mutation<M extends { readonly result: infer R } ? R : unknown>
    : never;
};
