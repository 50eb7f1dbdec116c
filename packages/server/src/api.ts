import type { QueryText } from './config/config.js';
import type { NamedQuery } from './config/named-query.js';
import type { AnyRow, RowOf } from './resolving/row-of.js';

/** What a server offers, as a type: `export type Api = typeof sluice`, and `createClient<Api>` on the other side. */
export interface ApiOf<Q> {
  readonly queries: { readonly [N in keyof Q]: QueryOf<Q[N]> };
}

type QueryOf<D> =
  D extends NamedQuery<infer Args, infer Row>
    ? { readonly args: Args; readonly row: Row }
    : D extends QueryText
      ? { readonly args: unknown; readonly row: AnyRow }
      : D extends (call: never) => infer B
        ? { readonly args: unknown; readonly row: RowOf<B> }
        : never;
