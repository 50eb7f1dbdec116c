import type { Position } from '@sluice/core/position';
import type { SluiceError } from '@sluice/core/errors';
import type { Subscribed, ViewId } from '@sluice/core/wire';
import type { ValueMode } from '@sluice/core/row-decoder';
import type { Shape } from '@sluice/core/shape';
import { sameShape, ViewRows } from './view-rows.js';

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
  /** Its rows, once for each way in which subscriptions read them: nearly always one. */
  readonly #faces: [ViewRows, ...ViewRows[]];
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
    this.#faces = [new ViewRows(message.shape, mode)];
    this.chain = message.chain;
    this.gear = message.gear;
    this.reason = message.reason;
  }

  /** For what is the same whoever reads: keys, texts, position. */
  get rows(): ViewRows {
    return this.#faces[0];
  }

  get faces(): readonly ViewRows[] {
    return this.#faces;
  }

  /** The rows as a subscription of that shape reads them. @throws SyntaxError when a value is not of its type. */
  face(shape: Shape): ViewRows {
    const same = this.#faces.find((face) => sameShape(face.shape, shape));
    if (same) return same;
    const face = this.rows.copy(shape);
    this.#faces.push(face);
    return face;
  }

  /** Keeps those that are read, and one. */
  prune(read: ReadonlySet<ViewRows | null>): void {
    for (let index = this.#faces.length - 1; index >= 0 && this.#faces.length > 1; index--) {
      if (!read.has(this.#faces[index] ?? null)) this.#faces.splice(index, 1);
    }
  }

  /** The connection is gone, or the view is asked for anew. */
  forsake(): void {
    this.answered = false;
    this.standing = PENDING;
  }
}
