import type { Position } from '@sluice/core/position';
import type { SluiceError } from '@sluice/core/errors';
import type { Subscribed, ViewId } from '@sluice/core/wire';
import type { ValueMode } from '@sluice/core/decode';
import { ViewRows } from './view-rows.js';

/** How a view stands on the present connection. */
export type Standing =
  | { readonly kind: 'pending' }
  | { readonly kind: 'current' }
  | { readonly kind: 'behind'; readonly position: Position }
  | { readonly kind: 'error'; readonly error: SluiceError; readonly position: Position };

export const PENDING: Standing = { kind: 'pending' };

/** A view of the server, and what of this client holds it. */
export class View<H> {
  readonly id: ViewId;
  readonly rows: ViewRows;
  readonly holders: Set<H> = new Set();
  /** Names the server's memory that the rows' position belongs to. */
  chain: string;
  gear: Subscribed['gear'];
  reason: string | undefined;
  standing: Standing = PENDING;
  /** What the server was told is held, if not these rows themselves: a difference is one to them. */
  base: ViewRows | null = null;
  /** Whether the server has answered for it on this connection: what it sends before is of an earlier hold. */
  answered = false;
  /** Without holders it stays until every subscribe that was under way when the last one left is answered. */
  leavesAfter: number | null = null;

  constructor(message: Subscribed, mode: ValueMode) {
    this.id = message.view;
    this.rows = new ViewRows(message.shape, mode);
    this.chain = message.chain;
    this.gear = message.gear;
    this.reason = message.reason;
  }

  /** The connection is gone, or the view is asked for anew. */
  forsake(): void {
    this.answered = false;
    this.standing = PENDING;
  }
}
