import { WITHDRAWING } from './errors.js';
import { LOADING, nextPhase, type Phase, type PhaseEvent } from './phase.js';
import type { Request } from './request.js';
import type { View } from './view.js';
import type { RowObject, ViewRows } from './view-rows.js';

/** A live view of the application, as its subscription sees it. */
export interface Holder {
  /** Something happened to the subscription's phase. */
  receive(from: Subscription, event: PhaseEvent): void;
  /** The rows that the subscription shows are others now, or how the server maintains them. */
  rowsChanged(): void;
}

const NO_ROWS: readonly RowObject[] = Object.freeze([]);

/** Where a subscription stands and what it shows, as one immutable value: the same object until something changes. */
export type SubscriptionState = Phase & { readonly rows: readonly RowObject[] };

/** Of every query that nothing is known of yet. */
export const LOADING_STATE: SubscriptionState = Object.freeze({ ...LOADING, rows: NO_ROWS });

/** This client's hold on the view of one query; all live views of equal queries share it. */
export class Subscription {
  /** Equal for equal queries. */
  readonly key: string;
  readonly request: Request;
  readonly holders: Set<Holder> = new Set();
  /** Its name on the present connection; null while the server does not know of it. */
  id: number | null = null;
  /** The view that the server names for it; null until it has answered once. */
  view: View<Subscription> | null = null;
  /** The view whose rows are shown: `view`, once that has an answer; until then its predecessor. */
  shown: View<Subscription> | null = null;
  /** The rows of each as this subscription reads them. */
  face: ViewRows | null = null;
  shownFace: ViewRows | null = null;
  /** The rows that its latest subscribe has described to the server. */
  described: ViewRows | null = null;
  phase: Phase = LOADING;
  #state: SubscriptionState = LOADING_STATE;
  #statePhase: Phase = LOADING;
  /** When it was first current, since it was last asked for; null while it has not been. */
  currentSinceMs: number | null = null;
  /** Refusals in a row that may be tried again. */
  refusals = 0;
  /** It was answered, until the schema changed under it; a refusal now passes when the schema changes again. */
  replanning = false;
  /** Cancels what is planned: the end of lingering, the next attempt. */
  cancelLinger: (() => void) | null = null;
  cancelRetry: (() => void) | null = null;

  constructor(key: string, request: Request) {
    this.key = key;
    this.request = request;
  }

  get rows(): readonly RowObject[] {
    return this.readable?.rows ?? NO_ROWS;
  }

  get state(): SubscriptionState {
    const { phase, rows } = this;
    if (this.#state.rows !== rows || this.#statePhase !== phase) {
      this.#state = { ...phase, rows };
      this.#statePhase = phase;
    }
    return this.#state;
  }

  /** What is shown, unless an error says that it may not be read. */
  get readable(): ViewRows | null {
    return this.phase.status === 'error' && WITHDRAWING.has(this.phase.error.code) ? null : this.shownFace;
  }

  /** Holds its rows no longer. */
  drop(): void {
    this.shown = null;
    this.shownFace = null;
    this.described = null;
  }

  happen(event: PhaseEvent): void {
    const next = nextPhase(this.phase, event);
    if (next === this.phase) return;
    this.phase = next;
    for (const holder of this.holders) holder.receive(this, event);
  }

  /** From now on the rows are those of its own view. */
  show(): void {
    if (this.shown === this.view && this.shownFace === this.face) return;
    this.shown = this.view;
    this.shownFace = this.face;
    for (const holder of this.holders) holder.rowsChanged();
  }
}
