import type { AnyRow, Queries, SluiceError } from '@sluice/client';
import { expectTypeOf, test } from 'vitest';
import { useLiveInfiniteQuery } from './use-live-infinite-query.js';
import { useLiveOne, useLiveQuery, useLiveView, useSuspenseLiveQuery } from './use-live-query.js';

interface Issue {
  readonly id: number;
  readonly labels: readonly { readonly name: string }[];
}

interface Api {
  queries: {
    issuesOf: { args: { project: number; limit: number }; row: Issue };
    issue: { args: { id: number }; row: Issue };
    count: { row: { n: bigint } };
  };
}

declare const queries: Queries<Api>;

// The functions below are compiled and never called: a wrong type fails the build.
test('rows have the type of their query, nested ones too', () => {
  void (() => {
    const { rows, status, error } = useLiveQuery(queries.issuesOf({ project: 1, limit: 2 }));
    expectTypeOf(rows).toEqualTypeOf<readonly Issue[]>();
    expectTypeOf(rows[0]?.labels[0]?.name).toEqualTypeOf<string | undefined>();
    expectTypeOf(error).toEqualTypeOf<SluiceError | null>();
    expectTypeOf(status).toEqualTypeOf<
      'loading' | 'partial' | 'current' | 'switching' | 'behind' | 'stale' | 'error'
    >();
    // @ts-expect-error: there is no such column
    void rows[0]?.nothing;
    expectTypeOf(useLiveQuery({ sql: 'SELECT 1 AS n' }).rows).toEqualTypeOf<readonly AnyRow[]>();
    expectTypeOf(useLiveQuery<{ n: number }>({ sql: 'SELECT 1 AS n' }).rows[0]?.n).toEqualTypeOf<
      number | undefined
    >();
  });
});

test('arguments', () => {
  void (() => {
    // @ts-expect-error: of another type
    useLiveQuery(queries.issue({ id: '1' }));
    // @ts-expect-error: one is missing
    useLiveQuery(queries.issuesOf({ project: 1 }));
    // @ts-expect-error: there is none of that name
    useLiveQuery(queries.nobody());
    // @ts-expect-error: nothing can be skipped here
    useSuspenseLiveQuery(null);
  });
});

test('the status tells what else there is', () => {
  void (() => {
    const result = useLiveQuery(queries.issue({ id: 1 }));
    if (result.status === 'error') {
      expectTypeOf(result.error).toEqualTypeOf<SluiceError>();
      expectTypeOf(result.retrying).toEqualTypeOf<boolean>();
    }
    if (result.status === 'current') expectTypeOf(result.error).toEqualTypeOf<null>();
    if (result.status === 'behind') expectTypeOf(result.position).toBeString();
    // @ts-expect-error: only what is skipped is so
    void (result.status === 'skipped');
  });
});

test('what is skipped has a status of its own', () => {
  void ((on: boolean) => {
    const result = useLiveQuery(on ? queries.issue({ id: 1 }) : 'skip');
    expectTypeOf(result.rows).toEqualTypeOf<readonly Issue[] | readonly never[]>();
    if (result.status === 'skipped') expectTypeOf(result.rows).toEqualTypeOf<readonly never[]>();
    expectTypeOf(useLiveOne(on && queries.issue({ id: 1 })).row).toEqualTypeOf<Issue | null>();
    expectTypeOf(useLiveView(on ? queries.issue({ id: 1 }) : null)?.rows).toEqualTypeOf<
      readonly Issue[] | undefined
    >();
  });
});

test('one, suspended, and pages', () => {
  void (() => {
    expectTypeOf(useLiveOne(queries.issue({ id: 1 })).row).toEqualTypeOf<Issue | null>();
    const suspended = useSuspenseLiveQuery(queries.issue({ id: 1 }));
    expectTypeOf(suspended.rows).toEqualTypeOf<readonly Issue[]>();
    // @ts-expect-error: it has waited for that
    void (suspended.status === 'loading');
    const list = useLiveInfiniteQuery((limit) => queries.issuesOf({ project: 1, limit }), {
      pageSize: 50,
      total: queries.count(),
    });
    expectTypeOf(list.rows).toEqualTypeOf<readonly Issue[]>();
    expectTypeOf(list.total).toEqualTypeOf<number | null>();
    expectTypeOf(list.hasMore).toEqualTypeOf<boolean>();
  });
});
