import type { Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import type { Shape } from '@sluice/core/shape';
import type { PgText } from '@sluice/core/value';
import type { ViewId, WireError } from '@sluice/core/wire';

/**
 * The seam between views and sessions: plain messages, so that the two may live in different threads.
 *
 * A view is a chain of *versions*. A version is made by `rows` or `delta` and is named by the LSN it carries
 * (`at`, `to`). A view is *valid* over intervals: a version holds from its LSN on, until `gap` says through where
 * (inclusive). After a gap the same version may be valid again (`again`), or a new one comes. While no gap is
 * open the current version is valid up to the batch's `position`.
 *
 *   version  v1 ────────────┐   v1 ─────────── v2 ────▶
 *            at=10   gap through=17  again=25   to=31     position=40
 *
 * Everything in one batch is in order; batches and `opened` are in order: what precedes an `opened` is not about the
 * view that it names, and `release` and `ended` each end a view, the latter whatever its holds. A version keeps its
 * LSN when the epoch changes; it is named by that in `from`, and in the `at` that answers a `snapshot`.
 * A view has a `place` among all, a small number, from `opened` on until it ends; then it may be another's.
 * The epoch is empty until the stream has begun. `epoch` and positions: LSNs are of the current epoch.
 */
export interface ViewsPort {
  post(message: ToViews): void;
  /** One listener: the sessions. */
  listen(listener: (message: FromViews) => void): void;
}

/** Who asks: part of every binding. */
export interface Principal {
  readonly role: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A query as written, before planning. */
export interface QuerySpec {
  readonly sql: string;
  readonly params: readonly PgText[];
  readonly principal: Principal;
  /** Written by a client, not by the application: only allow-listed functions. */
  readonly adHoc: boolean;
  readonly tick?: string;
}

export type ToViews =
  /** Opens (or joins) the view of a query. Answered by `opened` or `refused`. Each `open` needs one `release`. */
  | { readonly kind: 'open'; readonly ref: number; readonly spec: QuerySpec }
  | { readonly kind: 'release'; readonly view: ViewId }
  /** Answers `full`: what could be released has been. */
  | { readonly kind: 'spared' }
  /** Asks for the latest version whole; answered by a `rows` entry with `ref` in a later batch, or by `refused`. */
  | { readonly kind: 'snapshot'; readonly ref: number; readonly view: ViewId };

/** How a view is maintained, and why not incrementally. */
export interface Geared {
  readonly gear: 'incremental' | 'rerun';
  readonly reason?: string;
}

export type FromViews =
  | ({
      readonly kind: 'opened';
      readonly ref: number;
      readonly view: ViewId;
      readonly place: number;
      readonly shape: Shape;
    } & Geared)
  | { readonly kind: 'refused'; readonly ref: number; readonly error: WireError }
  /** Views hold too much together: those that nobody looks at are to be released. Answered by `spared`. */
  | { readonly kind: 'full' }
  | {
      readonly kind: 'batch';
      readonly epoch: Epoch;
      readonly position: Lsn;
      readonly entries: readonly Entry[];
    }
  /** A commit token was seen: its transaction is at this position (C26). */
  | { readonly kind: 'token'; readonly token: string; readonly lsn: Lsn };

/** Something about a view, which is named by its place alone. */
export type Entry = { readonly place: number } & News;

type News =
  /**
   * The version `at`, whole: `message` is an encoded `Rows`. With `ref` it answers a `snapshot` request and
   * changes nothing; without, it is the view's first version, or the next where nobody knows what leads to it from the
   * one before. It closes a gap then.
   */
  | {
      readonly kind: 'rows';
      readonly at: Lsn;
      readonly ref?: number;
      readonly message: Uint8Array;
      readonly count: number;
    }
  /**
   * The next version: `message` is an encoded `Delta` from version `from` to version `to`, without edits; `edited` is the
   * same with edits, where there are any. Closes a gap.
   */
  | {
      readonly kind: 'delta';
      readonly from: Lsn;
      readonly to: Lsn;
      readonly message: Uint8Array;
      readonly edited?: Uint8Array;
      readonly count: number;
    }
  /** The view is not known to be valid after `through`. */
  | { readonly kind: 'gap'; readonly through: Lsn }
  /** The current version is valid again from here. */
  | { readonly kind: 'again'; readonly from: Lsn }
  /** From here the answer is an error (C17), until the next `delta`, `again` or `rows`. Closes a gap; a `gap` may follow. */
  | { readonly kind: 'error'; readonly from: Lsn; readonly error: WireError }
  /** From now on it is maintained otherwise: as `opened` says it. */
  | ({ readonly kind: 'gear' } & Geared)
  /** The view is over: its query no longer holds. */
  | { readonly kind: 'ended'; readonly error: WireError };
