import { expectTypeOf, test } from 'vitest';
import type { CarriesApi, Queries, QueryRef } from './api.js';
import type { Client } from './client.js';
import type { LiveState, LiveView } from './live-view.js';
import type { Mutation, Mutate, Sluice } from './index.js';

interface Issue {
  readonly id: number;
  readonly labels: readonly { readonly name: string }[];
}

interface Api {
  queries: {
    byId: { args: { id: number }; row: Issue };
    search: { args: { text?: string }; row: Issue };
    maybe: { args: { id: number } | undefined; row: Issue };
    all: { row: Issue };
    none: { args: void; row: Issue };
  };
  mutators: { close: { args: { id: number }; result: boolean }; touch: object };
}

declare const queries: Queries<Api>;
declare const client: Client;
declare const mutate: Mutate<Api>;

// The functions below are compiled and never called: a wrong type fails the build.
test('arguments', () => {
  void (() => {
    queries.byId({ id: 1 });
    queries.search({});
    queries.search();
    queries.maybe();
    queries.all();
    queries.none();
    // @ts-expect-error: it takes an argument
    queries.byId();
    // @ts-expect-error: of another type
    queries.byId({ id: '1' });
    // @ts-expect-error: it takes none
    queries.all({ id: 1 });
    // @ts-expect-error: there is none of that name
    queries.nowhere();
  });
});

test('rows, nested ones too', () => {
  void (() => {
    const live = client.live(queries.byId({ id: 1 }));
    expectTypeOf(live).toEqualTypeOf<LiveView<Issue>>();
    expectTypeOf(live.rows).toEqualTypeOf<readonly Issue[]>();
    expectTypeOf(live.rows[0]?.labels[0]?.name).toEqualTypeOf<string | undefined>();
    expectTypeOf(client.live<{ n: bigint }>({ sql: 'SELECT 1::int8 AS n' }).rows).toEqualTypeOf<
      readonly { n: bigint }[]
    >();
    // @ts-expect-error: what a parameter cannot be
    client.live({ sql: 'SELECT $1', params: [Symbol('x')] });
    // @ts-expect-error: the rows are another query's
    live.replace({ query: 'x' } as QueryRef<{ other: 1 }>);
  });
});

test('the status tells what else there is', () => {
  const read = (state: LiveState<Issue>): unknown => {
    switch (state.status) {
      case 'error':
        return state.error.code;
      case 'behind':
        return state.position.length;
      case 'current':
        // @ts-expect-error: nothing is wrong
        return state.error;
      default:
        return state.rows;
    }
  };
  expectTypeOf(read).toBeFunction();
});

test('mutators', () => {
  void (() => {
    expectTypeOf(mutate.close({ id: 1 })).toEqualTypeOf<Mutation<boolean>>();
    // @ts-expect-error: it takes an argument
    mutate.close();
    mutate.touch();
  });
});

test('a value of the server carries its Api; without an Api every name is there', () => {
  type Server = { start(): Promise<void> } & CarriesApi<Api>;
  expectTypeOf<Queries<Server>>().toEqualTypeOf<Queries<Api>>();
  void ((untyped: Sluice<object>['queries']) => {
    // @ts-expect-error: an Api without queries has none
    untyped.anything();
  });
});
