'use client';
import { useEffect, useMemo, useState } from 'react';
import { SluiceError, type AnyRow, type Client, type LiveView } from '@sluice/client';
import { reactError } from './errors.js';
import { lease } from './leases.js';
import { useClient } from './provider.js';
import { ON_SERVER, type Shown } from './shown.js';
import { isSkip, type LiveResult, type Ref, type Skip, type Skipped, type Standing } from './types.js';
import { useHold } from './use-hold.js';
import { wishOf } from './wish.js';

/**
 * Shows the result of a query, always current. All components that show live queries change together: one move of
 * the client is one commit of React.
 *
 *     const { status, rows, error } = useLiveQuery(queries.issuesOf({ project: 7 }));
 *
 * When the arguments change, the old rows stay, `switching`, until the new ones are there; rows that were shown a
 * moment ago (back-navigation) are there at once.
 * @param ref the query; `'skip'` or null for none yet.
 * @throws SluiceError `provider_missing`. All other errors are the result's.
 */
export function useLiveQuery<Row = AnyRow>(ref: Ref<Row>): LiveResult<Row>;
export function useLiveQuery<Row = AnyRow>(ref: Ref<Row> | Skip): LiveResult<Row> | Skipped;
export function useLiveQuery<Row = AnyRow>(ref: Ref<Row> | Skip): LiveResult<Row> | Skipped {
  const client = useClient();
  const shown = useHold(client, isSkip(ref) ? [] : [wishOf(client, ref)]);
  return isSkip(ref) ? SKIPPED : resultOf<Row>(shown);
}

/**
 * Like `useLiveQuery`, for components inside of `<Suspense>`: it returns when there is an answer, and again when the
 * arguments have changed and there is one (change them in a transition to keep the old screen meanwhile).
 * @throws SluiceError to the error boundary, when there is an error and no row to show beside it. Rendering it again
 * asks again. On a
 * server, `suspended_on_server`: the fallback is what the server renders, and the page goes on from there.
 */
export function useSuspenseLiveQuery<Row = AnyRow>(ref: Ref<Row>): SuspenseResult<Row> {
  const client = useClient();
  const wish = wishOf(client, ref);
  const shown = useHold(client, [wish], { suspends: true });
  if (shown === ON_SERVER) throw leftToThePage();
  const empty = shown.rows.length === 0;
  if (shown.status === 'loading' || (shown.status === 'error' && empty && shown.retrying)) {
    throw lease(client, wish);
  }
  if (shown.status === 'error' && empty) throw shown.error;
  return resultOf<Row>(shown) as SuspenseResult<Row>;
}

/** With the mark that Next.js gives to what it leaves to the page: so it is no error in its logs. */
function leftToThePage(): SluiceError {
  return Object.assign(reactError('suspended_on_server'), { digest: 'BAILOUT_TO_CLIENT_SIDE_RENDERING' });
}

export type SuspenseResult<Row = AnyRow> = Exclude<LiveResult<Row>, { readonly status: 'loading' }>;

/** Shows the first row of a query's result: `row`, null when there is none. Else like `useLiveQuery`. */
export function useLiveOne<Row = AnyRow>(ref: Ref<Row>): LiveOne<Row>;
export function useLiveOne<Row = AnyRow>(ref: Ref<Row> | Skip): LiveOne<Row> | SkippedOne;
export function useLiveOne<Row = AnyRow>(ref: Ref<Row> | Skip): LiveOne<Row> | SkippedOne {
  const result = useLiveQuery<Row>(ref);
  return useMemo(() => {
    const { rows, ...standing } = result;
    return { ...standing, row: rows[0] ?? null } as LiveOne<Row> | SkippedOne;
  }, [result]);
}

export type LiveOne<Row = AnyRow> = Standing & { readonly row: Row | null };

export interface SkippedOne {
  readonly status: 'skipped';
  readonly error: null;
  readonly row: null;
}

/**
 * A live view of its own of a query that is shown, for what is seldom needed: `keyOf(row)`, `position`, `gear`. It
 * shares the subscription, and renders nothing when rows change. Null before the component is mounted, and when the
 * query cannot be asked.
 */
export function useLiveView<Row = AnyRow>(ref: Ref<Row> | Skip): LiveView<Row> | null {
  const client = useClient();
  const wish = isSkip(ref) ? null : wishOf(client, ref);
  const [open, setOpen] = useState<OpenView<Row> | null>(null);
  useEffect(() => {
    if (wish === null || wish.error) return undefined;
    try {
      const live = client.live<Row>(wish.ref as Ref<Row>);
      setOpen({ client, key: wish.key, live });
      return () => live.close();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return undefined;
    }
  }, [client, wish?.key]);
  return open !== null && open.client === client && open.key === wish?.key ? open.live : null;
}

interface OpenView<Row> {
  readonly client: Client;
  readonly key: string;
  readonly live: LiveView<Row>;
}

const SKIPPED: Skipped = Object.freeze({ status: 'skipped', error: null, rows: [] });

const results = new WeakMap<Shown, Shown & { readonly error: unknown }>();

/** What the application sees of it: the same object for the same state. */
function resultOf<Row>(shown: Shown): LiveResult<Row> {
  const result = results.get(shown) ?? { error: null, ...shown };
  results.set(shown, result);
  return result as unknown as LiveResult<Row>;
}
