import type { SluiceError } from '@sluice/core/errors';
import type { ValueMode } from '@sluice/core/row-decoder';
import type { Geared, Move, Subscribed, ViewId } from '@sluice/core/wire';
import { clientError, fromWire } from './errors.js';
import { inNamedBuckets } from './resume.js';
import { Staging, type ViewChange } from './staging.js';
import type { Subscription } from './subscription.js';
import { View } from './view.js';
import type { ViewRows } from './view-rows.js';

/** A view that cannot go on as it is. */
export type Trouble =
  /** Its chain is broken: ask for it again (C13). */
  | { readonly kind: 'broken'; readonly view: View<Subscription> }
  | { readonly kind: 'lost'; readonly view: View<Subscription>; readonly error: SluiceError };

/**
 * The views of the present connection, and those whose rows are still shown from the one before. What arrives is
 * staged; a move applies all of it, to all views, before anybody is told (P2).
 */
export class Views {
  readonly #mode: ValueMode;
  readonly #staging: Staging;
  readonly #views = new Map<ViewId, View<Subscription>>();
  /** Of the row hashes on this connection. */
  #seed = '';

  constructor(mode: ValueMode, stagedBytesMax: number) {
    this.#mode = mode;
    this.#staging = new Staging(stagedBytesMax);
  }

  /**
   * The server has named the view of a subscription: for the first time, or another one, because the registry or the
   * claims have changed. What is shown stays until the new view has an answer.
   * @returns why it cannot be: what other subscriptions of the view hold is not of its shape.
   */
  hold(subscription: Subscription, message: Subscribed): SluiceError | null {
    const view = this.#views.get(message.view) ?? new View<Subscription>(message, this.#mode);
    this.#views.set(view.id, view);
    if (message.shared !== true && view.answered) {
      // The server had let the view go before it heard of this subscription: it begins anew.
      view.forsake();
      this.#staging.drop(view.id);
    }
    if (!view.answered) view.base = subscription.described;
    subscription.described = null;
    view.answered = true;
    view.leavesAfter = null;
    view.chain = message.chain;
    view.gear = message.gear;
    view.reason = message.reason;
    const before = subscription.view;
    if (before !== view) this.#part(subscription);
    if (before && before.holders.size === 0) this.#forget(before);
    view.holders.add(subscription);
    subscription.view = view;
    try {
      subscription.face = view.face(message.shape);
    } catch (error) {
      return clientError('value_malformed', undefined, error);
    }
    this.#showStanding(view, subscription);
    prune(view);
    return null;
  }

  /** @param after the last subscribe under way: its answer may name the same view, and then its rows are not sent again. */
  release(subscription: Subscription, after: number | null): void {
    const view = subscription.view;
    this.#part(subscription);
    if (!view || view.holders.size > 0) return;
    if (after === null || !view.answered) this.#forget(view);
    else view.leavesAfter = after;
  }

  /** Forgets the views that waited for subscribes which are answered by now. */
  sweep(unanswered: ReadonlySet<number>): void {
    for (const view of this.#views.values()) {
      const after = view.leavesAfter;
      if (after !== null && ![...unanswered].some((id) => id <= after)) this.#forget(view);
    }
  }

  connected(seed: string): void {
    this.#seed = seed;
  }

  disconnected(): void {
    this.#staging.clear();
    for (const view of this.#views.values()) {
      view.forsake();
      if (view.holders.size === 0) this.#forget(view);
    }
  }

  holdersOf(id: ViewId): Iterable<Subscription> {
    return this.#views.get(id)?.holders ?? [];
  }

  /** The server maintains a view otherwise than it said before. Its rows are what they were. */
  regear({ view: id, gear, reason }: Geared): void {
    const view = this.#views.get(id);
    if (!view?.answered) return;
    view.gear = gear;
    view.reason = reason;
    for (const subscription of view.holders) for (const holder of subscription.holders) holder.rowsChanged();
  }

  /** Stages a change. @param bytes the length of its message. */
  stage(change: ViewChange, bytes: number): Trouble | null {
    const view = this.#views.get(change.view);
    if (!view?.answered) return null;
    if (!this.#continues(view, change)) {
      this.#staging.drop(view.id);
      return { kind: 'broken', view };
    }
    const full = this.#staging.add(change, bytes);
    if (full === null) return null;
    this.#staging.drop(full);
    const largest = this.#views.get(full);
    return largest ? { kind: 'lost', view: largest, error: clientError('staged_bytes_exceeded') } : null;
  }

  /** Applies everything staged, then says how each view stands. Nobody is told before the caller's batch ends. */
  move(move: Move): readonly Trouble[] {
    const troubles = this.#applyStaged();
    for (const id of move.current ?? []) this.#stand(id, { kind: 'current' });
    for (const [id, position] of move.behind ?? []) this.#stand(id, { kind: 'behind', position });
    const own = new Map(move.behind);
    for (const [id, error] of move.errors ?? []) {
      this.#stand(id, { kind: 'error', error: fromWire(error), position: own.get(id) ?? move.position });
    }
    return troubles;
  }

  #applyStaged(): Trouble[] {
    const troubles: Trouble[] = [];
    for (const [id, changes] of this.#staging.take()) {
      const view = this.#views.get(id);
      if (!view) continue;
      const before = changesOf(view);
      try {
        for (const change of changes) applyChange(view, change, this.#seed);
      } catch (error) {
        troubles.push({ kind: 'lost', view, error: clientError('value_malformed', undefined, error) });
      }
      if (changesOf(view) !== before) this.#tellRows(view);
    }
    return troubles;
  }

  #tellRows(view: View<Subscription>): void {
    for (const subscription of view.holders) {
      if (subscription.shown !== view) continue;
      for (const holder of subscription.holders) holder.rowsChanged();
    }
  }

  /** C13: `from` is the `to` or `at` of what came before. */
  #continues(view: View<Subscription>, change: ViewChange): boolean {
    if (change.kind !== 'delta') return true;
    return change.from === (this.#staging.end(view.id) ?? view.rows.at);
  }

  #stand(id: ViewId, standing: View<Subscription>['standing']): void {
    const view = this.#views.get(id);
    if (!view?.answered) return;
    view.standing = standing;
    for (const subscription of view.holders) this.#showStanding(view, subscription);
  }

  #showStanding({ standing }: View<Subscription>, subscription: Subscription): void {
    switch (standing.kind) {
      case 'pending':
        return;
      case 'current':
        subscription.show();
        return subscription.happen({ kind: 'confirmed' });
      case 'behind':
        subscription.show();
        return subscription.happen({ kind: 'fell_behind', position: standing.position });
      case 'error':
        return subscription.happen({ ...standing, kind: 'failed', retrying: false });
    }
  }

  #part(subscription: Subscription): void {
    const { view } = subscription;
    subscription.view = null;
    subscription.face = null;
    view?.holders.delete(subscription);
  }

  #forget(view: View<Subscription>): void {
    this.#views.delete(view.id);
    this.#staging.drop(view.id);
  }
}

function changesOf({ faces }: View<Subscription>): number {
  return faces.reduce((sum, { changes }) => sum + changes, 0);
}

/** Lets go of the faces that nobody reads any more. */
function prune(view: View<Subscription>): void {
  const read = [...view.holders].flatMap(({ face, shownFace }) => [face, shownFace]);
  view.prune(new Set(read));
}

function applyChange(view: View<Subscription>, change: ViewChange, seed: string): void {
  const { base } = view;
  view.base = null;
  // A difference may be applied twice: that one face is what the others' is to, and has it already, does no harm.
  for (const face of view.faces) applyTo(face, base ?? face, change, seed);
}

function applyTo(rows: ViewRows, base: ViewRows, change: ViewChange, seed: string): void {
  switch (change.kind) {
    case 'rows':
      return rows.replace(change.rows, change.at);
    case 'delta':
      return rows.apply(change.ops, change.to);
    case 'difference':
      return rows.merge(base, inNamedBuckets(change, seed), change.rows, change.order, change.at);
  }
}
