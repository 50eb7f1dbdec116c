import type { SluiceError } from '@sluice/core/errors';
import type { Position } from '@sluice/core/position';

/**
 * Where a live view stands, as an immutable value. The rows are beside it (`live-view.ts`).
 *
 *   loading    nothing is known yet. An empty result is `current` with no rows, never `loading`.
 *   partial    some rows are known from elsewhere; the server has not completed them.
 *   current    the rows are the answer at the client's position.
 *   switching  the rows are those of the query that is being replaced.
 *   behind     the rows are the answer at a position of their own, which the others have passed (C14).
 *   stale      the rows are the answer at a past position; the connection is away, or has not yet confirmed them.
 *   error      Postgres, the server or the client refuses to answer; rows, if any, are the last that were current;
 *              none when the error says that they may not be read (`WITHDRAWING`).
 *
 *               current ◀───────────────▶ behind
 *                ▲   ▲ ╲                   ╱
 *   loading ─────╯   │  ╰──▶ stale ◀──────╯        any ──▶ error, any ──▶ switching
 *   partial ─────────╯        ╰──▶ current
 */
export type Phase =
  | { readonly status: 'loading' }
  | { readonly status: 'partial' }
  | { readonly status: 'current' }
  | { readonly status: 'switching' }
  | { readonly status: 'behind'; readonly position: Position }
  | { readonly status: 'stale'; readonly position: Position | null }
  | {
      readonly status: 'error';
      readonly error: SluiceError;
      readonly position: Position | null;
      /** Whether the client is trying again by itself. An error that is the database's answer passes with its data. */
      readonly retrying: boolean;
    };

export type Status = Phase['status'];

/** What can happen to a live view. */
export type PhaseEvent =
  /** Rows of it are known before the server has answered. */
  | { readonly kind: 'found' }
  /** A move says: the rows are the answer at the connection's position. */
  | { readonly kind: 'confirmed' }
  /** A move says: the rows are the answer at this position, which is not the connection's. */
  | { readonly kind: 'fell_behind'; readonly position: Position }
  /** The connection is away, or moved on without this view; the rows are the answer at that position. */
  | { readonly kind: 'left'; readonly position: Position | null }
  | {
      readonly kind: 'failed';
      readonly error: SluiceError;
      readonly position: Position | null;
      readonly retrying: boolean;
    }
  /** Another query takes its place; its rows stay until that one has an answer. */
  | { readonly kind: 'replaced' };

type PhaseOf<S extends Status> = Extract<Phase, { readonly status: S }>;
type EventOf<K extends PhaseEvent['kind']> = Extract<PhaseEvent, { readonly kind: K }>;

/** A cell for each status and each event: what is missing does not compile. */
export type Transitions = {
  readonly [S in Status]: {
    readonly [K in PhaseEvent['kind']]: (phase: PhaseOf<S>, event: EventOf<K>) => Phase;
  };
};

export const LOADING: Phase = { status: 'loading' };
export const PARTIAL: Phase = { status: 'partial' };
export const CURRENT: Phase = { status: 'current' };
export const SWITCHING: Phase = { status: 'switching' };

const stay = <P extends Phase>(phase: P): Phase => phase;
const current = (): Phase => CURRENT;
const switching = (): Phase => SWITCHING;
const behind = (_: Phase, event: EventOf<'fell_behind'>): Phase => ({
  status: 'behind',
  position: event.position,
});
const stale = (_: Phase, event: EventOf<'left'>): Phase => ({ status: 'stale', position: event.position });
const staleWhereItStood = (phase: { readonly position: Position | null }): Phase => ({
  status: 'stale',
  position: phase.position,
});
const error = (_: Phase, event: EventOf<'failed'>): Phase => ({
  status: 'error',
  error: event.error,
  position: event.position,
  retrying: event.retrying,
});

const FROM_ANY = { confirmed: current, fell_behind: behind, failed: error } as const;

const TRANSITIONS: Transitions = {
  loading: { ...FROM_ANY, found: () => PARTIAL, left: stay, replaced: () => LOADING },
  partial: { ...FROM_ANY, found: stay, left: stay, replaced: switching },
  current: { ...FROM_ANY, found: stay, left: stale, replaced: switching },
  // Until the new query answers there is nothing of it that could be stale.
  switching: { ...FROM_ANY, found: stay, left: stay, replaced: stay },
  behind: { ...FROM_ANY, found: stay, left: staleWhereItStood, replaced: switching },
  stale: { ...FROM_ANY, found: stay, left: stay, replaced: switching },
  // An error stays on the screen until something better is known; a new query starts from nothing.
  error: { ...FROM_ANY, found: stay, left: stay, replaced: () => LOADING },
};

/** The next phase; the same object when nothing changes. */
export function nextPhase(phase: Phase, event: PhaseEvent): Phase {
  const row = TRANSITIONS[phase.status] as Readonly<
    Record<PhaseEvent['kind'], (phase: Phase, event: PhaseEvent) => Phase>
  >;
  const next = row[event.kind](phase, event);
  return samePhase(phase, next) ? phase : next;
}

/** Whether two phases say the same. */
export function samePhase(a: Phase, b: Phase): boolean {
  if (a === b) return true;
  if (a.status !== b.status) return false;
  return (
    ('position' in a ? a.position : null) === ('position' in b ? b.position : null) &&
    ('error' in a ? a.error : null) === ('error' in b ? b.error : null)
  );
}
