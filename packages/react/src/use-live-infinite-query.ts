'use client';
import { useCallback, useMemo, useState } from 'react';
import type { AnyRow } from '@sluice/client';
import { reactError } from './errors.js';
import { useClient } from './provider.js';
import { isReady, type Shown } from './shown.js';
import { isSkip, type Ref, type Skip, type Standing } from './types.js';
import { useHold } from './use-hold.js';
import { wishOf, type Wish } from './wish.js';

export interface InfiniteOptions {
  /** Rows that the first page has, and every further one adds. */
  readonly pageSize: number;
  /** A query of the number of all rows, as the first column of its one row. */
  readonly total?: Ref<unknown> | Skip;
}

export type LiveInfiniteResult<Row = AnyRow> = Standing & {
  readonly rows: readonly Row[];
  /** Whether the query has more rows than these. */
  readonly hasMore: boolean;
  /** The number of all rows; null while it is not known, or not asked for. */
  readonly total: number | null;
  /** Shows one page more. Does nothing when there is none, or while one is on its way. */
  readonly loadMore: () => void;
};

/**
 * Shows the first pages of an ordered result: one live query whose limit grows, so that rows that come, go and move
 * are right on every page. A further page costs its own rows only.
 *
 *     const { rows, hasMore, loadMore, total } = useLiveInfiniteQuery(
 *       (limit) => queries.issuesOf({ project: 7, limit }),
 *       { pageSize: 50, total: queries.issueCount({ project: 7 }) },
 *     );
 *
 * Rows and total change in one move (unless one of them is `behind`, and so the result), also when other arguments of
 * the query change; the list then begins again with one page. Without `total`, one row more than shown is asked for: to know whether there is one.
 * @param makeRef the query for so many rows.
 * @throws SluiceError `provider_missing`, `total_malformed`. All other errors are the result's.
 */
export function useLiveInfiniteQuery<Row = AnyRow>(
  makeRef: (limit: number) => Ref<Row>,
  { pageSize, total }: InfiniteOptions,
): LiveInfiniteResult<Row> {
  const client = useClient();
  const counted = !isSkip(total);
  const ask = (limit: number): Wish => wishOf(client, makeRef(counted ? limit : limit + 1), limit);
  const family = ask(pageSize).key;
  const [page, setPage] = useState({ family, limit: pageSize });
  const limit = page.family === family ? page.limit : pageSize;
  if (page.family !== family) setPage({ family, limit });
  const wishes = [ask(limit), ...(counted ? [wishOf(client, total)] : [])];
  const shown = useHold(client, wishes, { family });

  const number = counted && isReady(shown) ? totalOf(shown) : null;
  const { beyond } = shown;
  // A total that is of another position than the rows cannot overrule what the rows themselves say.
  const hasMore =
    beyond === 'some' || (beyond === 'unknown' && number !== null && shown.rows.length < number);
  const canLoad = hasMore && shown.status !== 'switching' && shown.status !== 'error';
  const loadMore = useCallback(() => {
    if (canLoad) setPage({ family, limit: limit + pageSize });
  }, [canLoad, family, limit, pageSize]);
  return useMemo(() => {
    const { beside: _, beyond: __, ...standing } = shown;
    return {
      error: null,
      ...standing,
      hasMore,
      total: number,
      loadMore,
    } as unknown as LiveInfiniteResult<Row>;
  }, [shown, hasMore, number, loadMore]);
}

/** @throws SluiceError `total_malformed`. */
function totalOf({ beside }: Shown): number | null {
  if (beside === undefined || beside.status === 'error') return null;
  const [row] = beside.rows;
  const [value] = Object.values((row ?? {}) as Readonly<Record<string, unknown>>);
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw reactError('total_malformed');
  return number;
}
