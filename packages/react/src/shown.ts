import type { LiveState, SluiceError } from '@sluice/client';

/**
 * What a hook shows, made of the states of its live queries. Everything here is a pure function of those states that
 * gives the same object for the same states, as React asks of a snapshot: so two renders can be compared by identity,
 * whichever of them is committed.
 */
export type Shown = LiveState<unknown> & {
  /** Of the query beside the first (a total). */
  readonly beside?: LiveState<unknown>;
  /** Of a list with a limit: whether there are rows beyond it, as far as its own rows say. */
  readonly beyond?: 'some' | 'none' | 'unknown';
};

export const LOADING: Shown = Object.freeze({ status: 'loading', rows: [] });

/** While a server renders a component that would wait for an answer. */
export const ON_SERVER: Shown = Object.freeze({ status: 'loading', rows: [] });

/** From the worst for whoever looks at several results as one. */
const RANK = ['current', 'behind', 'stale', 'partial', 'switching', 'loading', 'error'] as const;

const switched = new WeakMap<Shown, Shown>();
const trims = new WeakMap<Shown, Map<number, Shown>>();
const pairs = new WeakMap<Shown, WeakMap<Shown, Shown>>();

/** Whether there is something to show: rows, none of them, or an error. */
export function isReady(state: Shown | undefined): state is Shown {
  return state !== undefined && state.status !== 'loading';
}

/** The rows while those of another query are on their way. */
export function switching(shown: Shown): Shown {
  if (shown.status === 'error') return LOADING;
  const known = switched.get(shown);
  if (known) return known;
  const { rows, beside, beyond } = shown;
  const made: Shown = {
    status: 'switching',
    rows,
    ...(beside ? { beside } : {}),
    ...(beyond ? { beyond } : {}),
  };
  switched.set(shown, made);
  return made;
}

/** Without the rows beyond the limit. */
export function trimmed(state: Shown, limit: number | undefined): Shown {
  if (limit === undefined || !isReady(state)) return state;
  const known = trims.get(state) ?? new Map<number, Shown>();
  trims.set(state, known);
  const before = known.get(limit);
  if (before) return before;
  const { length } = state.rows;
  const shown: Shown = {
    ...state,
    ...(length > limit ? { rows: state.rows.slice(0, limit) } : {}),
    beyond: length > limit ? 'some' : length < limit ? 'none' : 'unknown',
  };
  known.set(limit, shown);
  return shown;
}

/** Two results of one client as one: at the same position unless the status says otherwise. */
export function paired(first: Shown, beside: Shown): Shown {
  const known = pairs.get(first) ?? new WeakMap<Shown, Shown>();
  pairs.set(first, known);
  const made = known.get(beside) ?? pair(first, beside);
  known.set(beside, made);
  return made;
}

function pair(first: Shown, beside: Shown): Shown {
  const worst = RANK.indexOf(first.status) < RANK.indexOf(beside.status) ? beside : first;
  const { rows, beyond } = first;
  return { ...worst, rows, beside, ...(beyond ? { beyond } : {}) };
}

/** A query that could not even be asked. */
export function failed(error: SluiceError): Shown {
  return { status: 'error', error, position: null, retrying: false, rows: [] };
}
